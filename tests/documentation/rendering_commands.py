"""The commands that render or send renders to a farm, made small."""

from tests.documentation.folders import shots
from tests.documentation.miniature import Elsewhere, Miniature, Table

QUICK = "report=false"
# The farm's disk is the working folder.
NET = {
    "input=/net/shot.mov": "input=shot.mov",
    "plate=/net/plate.mov": "plate=plate.mov",
    "output=/net/renders/shot": "output=renders/shot",
}
NET_OUTPUT = {"output=/net/renders/shot": "output=renders/shot"}
FIRST = 'python infer.py "input=my shot.mp4" plate=plate.mp4 output=renders/first frames=1-100 background=green'
BUNDLE = "python infer.py input=shot.mov plate=plate.mov output=/net/renders/shot format=exr job=jobs/shot"
JOB = "openjd run jobs/shot/template.yaml -p file://jobs/shot/parameters.yaml"
FARMED = "howard input=/net/shot.mov plate=/net/plate.mov output=/net/renders/shot frames={} progress=plain"
# Deadline Cloud's own program needs an account; openjd reads the same template and parameters.
SUBMITTED = {"deadline": "openjd", "bundle": "summary", "submit": "", "jobs/shot": "jobs/shot/template.yaml"}
SIDE_BY_SIDE = "tests/test_infer_command.py::test_ranges_of_a_shot_side_by_side"
JOB_PARAMETERS = ("-p", "file://jobs/shot/parameters.yaml")

RENDERS: Table = {
    "python infer.py": Miniature(says="usage: python infer.py", slow=False),
    "python infer.py --help": Miniature(says="quality=", slow=False),
    "python infer.py --version": Miniature(says="howard 0.", slow=False),
    "python infer.py input=SHOT plate=PLATE": Miniature(code=2, says="error: SHOT does not exist", slow=False),
    "python infer.py input=shot.mp4 plate=plate.mp4": Miniature(
        leaves=("renders/shot/shot.0004.png", "renders/shot/report.html", "renders/shot/howard.json"), folder=shots
    ),
    FIRST: Miniature(
        change={"frames=1-100": "frames=1-2"},
        leaves=("renders/first/my shot.0002.png", "renders/first/my shot_comp.0002.png"),
        folder=shots,
    ),
    "python infer.py input=shot.mov plate=plate.mov preview=120": Miniature(
        change={"preview=120": "preview=2"}, leaves=("renders/shot_preview/shot.0002.png",), folder=shots
    ),
    "python infer.py input=shot.mov plate=plate.mov format=prores garbage=crew.png": Miniature(
        more=("frames=1", QUICK), leaves=("renders/shot/shot.mov",), folder=shots
    ),
    "python infer.py input=shot.mov plate=plate.mov garbage=crew.png": Miniature(
        more=("frames=1", QUICK), leaves=("renders/shot/shot.0001.png",), folder=shots
    ),
    "python infer.py input=shot.mov plate=plate.mov garbage=crew.png holdout=body.png output=renders/masked": Miniature(
        more=("frames=1", QUICK), leaves=("renders/masked/shot.0001.png",), folder=shots
    ),
    "python infer.py input=shot.mov plate=plate.mov format=exr layers=all shadow=true": Miniature(
        more=("frames=1", QUICK), leaves=("renders/shot/shot.0001.exr",), folder=shots
    ),
    "python -m howard.report renders/first": Miniature(
        after=(FIRST,), leaves=("renders/first/report.html",), folder=shots
    ),
    "python -m howard.align explain shot=shot.mov plate=plate.mov frame=120 output=explained.png": Miniature(
        change={"frame=120": "frame=4"}, leaves=("explained.png",), folder=shots
    ),
}

FARM: Table = {
    "python infer.py -m input=a.mov,b.mov plate=plate.mov": Miniature(
        more=("frames=1", QUICK), leaves=("renders/a/a.0001.png", "renders/b/b.0001.png"), folder=shots
    ),
    "python infer.py -m input=a.mov,b.mov plate=plate.mov format=exr,prores": Miniature(
        change={"input=a.mov,b.mov": "input=a.mov"},
        more=("frames=1", QUICK),
        leaves=("renders/a/a.0001.exr", "renders/a_prores/a.mov"),
        folder=shots,
    ),
    "python infer.py input=shot.mov plate=plate.mov output=/net/renders/shot frames=1-500": Miniature(
        change=NET_OUTPUT | {"frames=1-500": "frames=1"},
        more=(QUICK,),
        leaves=("renders/shot/shot.0001.png",),
        folder=shots,
    ),
    "python infer.py input=shot.mov plate=plate.mov output=/net/renders/shot frames=501-1000": Miniature(
        change=NET_OUTPUT | {"frames=501-1000": "frames=2-3"},
        more=(QUICK,),
        leaves=("renders/shot/shot.0001.png", "renders/shot/shot.0003.png"),
        after=("python infer.py input=shot.mov plate=plate.mov output=/net/renders/shot frames=1-500",),
        folder=shots,
    ),
    BUNDLE: Miniature(
        change=NET_OUTPUT,
        leaves=tuple(
            f"jobs/shot/{name}.yaml" for name in ("template", "parameter_values", "parameters", "asset_references")
        ),
        folder=shots,
        slow=False,
    ),
    "deadline bundle submit jobs/shot": Miniature(
        change=SUBMITTED,
        more=JOB_PARAMETERS,
        says="Format (STRING): exr",
        after=(BUNDLE,),
        folder=shots,
        needs=("openjd",),
    ),
    "deadline bundle submit jobs/shot -p FramesPerChunk=20 -p Quality=best": Miniature(
        change=SUBMITTED,
        more=JOB_PARAMETERS,
        says="Quality (STRING): best",
        after=(BUNDLE,),
        folder=shots,
        needs=("openjd",),
    ),
    "deadline bundle submit": Elsewhere(
        "tests/documentation/test_documented_commands.py::test_a_documented_command_runs",
        "named; the lines above have it whole",
    ),
    JOB: Miniature(
        leaves=("renders/shot/shot.0004.exr",), after=(BUNDLE,), moves=False, folder=shots, needs=("openjd",)
    ),
    f"{JOB} --step Render -tp Frame=1-50": Elsewhere(
        "tests/test_openjd.py::test_two_chunks_of_which_one_is_killed_and_repeated", "a chunk at a time"
    ),
    "openjd run -p file://...": Elsewhere(
        "tests/documentation/test_documented_commands.py::test_a_documented_command_runs",
        "named; the lines above have it whole",
    ),
    "deadlinecommand job.txt plugin.txt": Elsewhere(
        "tests/documentation/test_documented_commands.py::test_a_documented_command_runs", "its line Arguments= is run"
    ),
    FARMED.format("<STARTFRAME>-<ENDFRAME>"): Miniature(
        change=NET | {"frames=<STARTFRAME>-<ENDFRAME>": "frames=1-2"},
        more=(QUICK,),
        leaves=("renders/shot/shot.0002.png",),
        folder=shots,
    ),
    FARMED.format("#FRAME_START#-#FRAME_END#"): Miniature(
        change=NET | {"frames=#FRAME_START#-#FRAME_END#": "frames=4-4"},
        more=(QUICK,),
        leaves=("renders/shot/shot.0004.png",),
        folder=shots,
    ),
    "python infer.py -m hydra/launcher=joblib hydra.launcher.n_jobs=4 input=shot.mov plate=plate.mov "
    "output=renders/shot frames=1-250,251-500,501-750,751-1000 threads=4": Elsewhere(
        SIDE_BY_SIDE, "two processes, two ranges"
    ),
    "python infer.py -m hydra/launcher=submitit_slurm hydra.launcher.partition=gpu hydra.launcher.gpus_per_node=1 "
    "input=/net/shot.mov plate=/net/plate.mov output=/net/renders/shot frames=1-500,501-1000": Elsewhere(
        SIDE_BY_SIDE, "by submitit's local launcher; SLURM is not at hand"
    ),
}
