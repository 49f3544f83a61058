"""The commands that export, score and measure, made small."""

import sys

from tests.documentation.folders import collections, other_method, rendered, rendered_clips, samples, scored
from tests.documentation.miniature import Elsewhere, Miniature, Table
from tests.documentation.pages import ROOT
from tests.documentation.training_commands import COARSE_LITE, SMALL

BENCHMARK = "python -m howard.evaluation.benchmark clips=data/"
PUBLIC = f"{BENCHMARK}bench_public"
HOWARD_RESULTS = f"{PUBLIC} quality=best json=howard.json"
OTHER_MATTES = f"{PUBLIC} mattes=mattes/other json=other.json"
OTHER_PROGRAM = f'{PUBLIC} "command=python other.py {{shot}} {{plate}} {{output}}" json=program.json'
SUITE = "python -m howard.evaluation.suite root=data"
SHIPPED = f"{SUITE} output=suite/shipped"
MINE = f"{SUITE} weights=runs/people_refine/DATE/weights.safetensors output=suite/mine"
FEW = ("phenomena=[ordinary]", "limit=1", "stills_only=true", "workers=0", "worst=1")
PYTHON = sys.executable
SMALL_NETWORK = {"height=1080": "height=64", "width=1920": "width=96"}
# A network that takes no time to train in place of one of the joint stage.
OF_COARSE_LITE = "weights=runs/coarse_lite/DATE/weights.safetensors"
OURS = "weights=runs/refine_lite/DATE/weights.safetensors"

EXPORTS: Table = {
    "python -m howard.matting.export height=1080 width=1920 output=howard.onnx": Miniature(
        change=SMALL_NETWORK, leaves=("howard.onnx",), needs=("onnxscript", "onnxruntime")
    ),
    "python -m howard.matting.export height=1080 width=1920 output=howard.pt2 format=torch_export": Miniature(
        change=SMALL_NETWORK, leaves=("howard.pt2",)
    ),
}

SCORES: Table = {
    f"{BENCHMARK}bench_public": Miniature(more=("frames=3",), says="network, aligned plate", folder=samples),
    f"{BENCHMARK}bench_public quality=best": Miniature(more=("frames=3",), says="rotation", folder=samples),
    f"{BENCHMARK}bench_v2": Miniature(more=("frames=3",), says="gestures", folder=samples),
    f"{BENCHMARK}bench_v2 quality=best": Miniature(more=("frames=3",), says="gestures", folder=samples),
    HOWARD_RESULTS: Miniature(more=("frames=3",), leaves=("howard.json",), folder=other_method),
    OTHER_MATTES: Miniature(more=("frames=3",), says="| other", leaves=("other.json",), folder=other_method),
    OTHER_PROGRAM: Miniature(
        change={"command=python other.py {shot} {plate} {output}": f"command='{PYTHON}' other.py {{shot}} {{output}}"},
        more=("frames=3",),
        says="s/frame",
        leaves=("program.json",),
        folder=other_method,
    ),
    "python -m howard.evaluation.benchmark compare=[other.json,howard.json]": Miniature(
        says="One clip: no interval", after=(OTHER_MATTES, HOWARD_RESULTS), folder=other_method
    ),
    "python -m howard.pretrained update=true": Elsewhere(
        "tests/test_pretrained.py::test_changed_weights_are_noticed", "writes into the package"
    ),
    f"{BENCHMARK}sample {OURS}": Miniature(
        change={"clips=data/sample": "clips=data/bench_public/rotation", OURS: OF_COARSE_LITE},
        more=("frames=3",),
        says="rotation",
        after=(COARSE_LITE,),
        folder=samples,
    ),
    "python -m howard.evaluation predictions=renders/shot truth=data/sample": Miniature(says="band_mad", folder=scored),
    "python -m howard.evaluation predictions=renders/shot truth=data/sample plate=data/sample/clean json=scores.json": (
        Miniature(says="plate_wrong", leaves=("scores.json",), folder=scored)
    ),
    f"python -m howard.evaluation.composites root=data {OURS}": Miniature(
        change={OURS: OF_COARSE_LITE},
        more=("size=160x96", "clips=1", "frames=1"),
        says="MAD",
        after=(COARSE_LITE,),
        folder=collections,
    ),
    "python -m howard.evaluation.composites root=data size=960x540 clips=48 frames=2 weights=RUN/weights.safetensors": (
        Miniature(
            change={
                "size=960x540": "size=160x96",
                "clips=48": "clips=1",
                "frames=2": "frames=1",
                "weights=RUN/weights.safetensors": OF_COARSE_LITE,
            },
            says="MAD",
            after=(COARSE_LITE,),
            folder=collections,
        )
    ),
    SHIPPED: Miniature(more=FEW, leaves=("suite/shipped/results.json",), folder=collections),
    MINE: Miniature(
        change={"weights=runs/people_refine/DATE/weights.safetensors": OF_COARSE_LITE},
        more=FEW,
        leaves=("suite/mine/results.json",),
        after=(COARSE_LITE, SHIPPED),
        folder=collections,
    ),
    "python -m howard.evaluation.suite compare=[suite/shipped/results.json,suite/mine/results.json]": Miniature(
        says="ordinary", after=(COARSE_LITE, SHIPPED, MINE), folder=collections
    ),
    "python -m howard.evaluation": Miniature(says="predictions=", slow=False),
}

PROGRAMS: Table = {
    "python docs/pictures.py": Miniature(
        more=("--clip", "clip", "--render", "renders/demo", "--output", "pictures", "--frame", "2"),
        says="strip_clip.webp",
        leaves=("pictures/strip_clip.webp", "pictures/wipe_clip.webp"),
        folder=rendered,
        slow=False,
    ),
    "python docs/pictures.py --clips data/bench_public": Miniature(
        change={"data/bench_public": "clips"},
        more=("--renders", "renders", "--output", "pictures", "--frame", "2"),
        says="strips_clips.webp",
        leaves=("pictures/strips_clips.webp",),
        folder=rendered_clips,
        slow=False,
    ),
    "python benchmarks/network.py": Miniature(more=("--sizes", "180p", "--repeats", "1"), says="plain"),
    "python benchmarks/network_steps.py": Miniature(more=("--repeats", "1"), says="coarse network"),
    "python benchmarks/pipeline.py": Elsewhere(
        "tests/documentation/test_documented_commands.py::test_a_documented_command_runs", "the next one runs all of it"
    ),
    "python benchmarks/pipeline.py --sizes 1080p --against ../before": Miniature(
        change={"1080p": "180p", "../before": str(ROOT)}, more=("--frames", "2", "--long", "0"), says="as fast"
    ),
    "python benchmarks/alignment.py --section speed": Miniature(
        more=("--rounds", "1", "--width", "640"), says="standard"
    ),
    "python benchmarks/start.py": Miniature(
        more=("--runs", "1", "--gigabytes", "0", "--plates", "6"), says="used before", cold=True
    ),
    "python benchmarks/runtimes.py": Miniature(
        more=("--height", "64", "--width", "96", "--repeats", "1"), says="PyTorch"
    ),
    "python benchmarks/training.py --experiment coarse_lite data.root=data": Miniature(
        more=("--steps", "1", *SMALL), says="scor", folder=collections, cold=True
    ),
    "python benchmarks/runtimes.py --compile": Miniature(
        change={"--compile": ""}, more=("--height", "64", "--width", "96", "--repeats", "1"), says="PyTorch"
    ),
    "python benchmarks/runtimes.py --network prior": Miniature(more=("--repeats", "1"), says="PyTorch"),
    "python benchmarks/media.py": Miniature(
        more=("--rounds", "1", "--frames", "20"), says="written as prores", cold=True
    ),
    "python benchmarks/synthesis.py": Miniature(
        more=("--data", str(ROOT / "data" / "sample"), "--samples", "1", "--rounds", "1", "--size", "128"),
        says="handheld",
    ),
    "python benchmarks/alignment.py": Elsewhere(
        "tests/benchmarks/test_aligning.py::test_the_command_scores_scenes_without_any_data", "on a small scene"
    ),
    "python benchmarks/edges.py --step 6": Miniature(
        change={"6": "30"}, more=("--pairs", "0", "--clips", str(ROOT / "data" / "sample")), says="solved"
    ),
    "python benchmarks/shadow.py": Miniature(
        more=("--clips", str(ROOT / "data" / "sample"), "--frames", "1"), says="no shadow"
    ),
    "python benchmarks/plate_sources.py --every 6": Elsewhere(
        "tests/benchmarks/test_plate_sources.py::test_the_command_scores_every_plate", "on a small clip"
    ),
    "python benchmarks/keying.py": Miniature(more=("--clips", "1", "--data", "nowhere"), says="mean of kinds"),
    "python benchmarks/training.py": Miniature(
        more=("--size", "64", "--batch", "2", "--repeats", "1", "--device", "cpu"), says="ours", cold=True
    ),
}
