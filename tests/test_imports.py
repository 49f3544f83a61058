"""Imports point downwards only: every room's directions, read from the code (lazy imports count the same)."""

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src"

LEAVES = {
    "errors",
    "fields",
    "frame_ranges",
    "frame_rates",
    "choices",
    "options",
    "progress",
    "progress_displays",
    "parallel",
    "quality",
    "colour",
    "images",
    "measures",
    "machine",
    "operating_system",
    "interrupts",
    "render_record",
    "command_name",
    "requirements",
}
# What each room may import beside itself and the leaves. A new room needs a line here, and a thought.
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "fields": set(),
    "frame_ranges": set(),
    "frame_rates": set(),
    "choices": set(),
    "options": set(),
    "progress": set(),
    "progress_displays": set(),
    "parallel": set(),
    "quality": set(),
    "colour": set(),
    "images": set(),
    "measures": set(),
    "machine": set(),
    "operating_system": set(),
    "interrupts": {"operating_system"},
    "render_record": set(),
    "command_name": set(),
    "requirements": set(),
    "settings": set(),
    "cli": set(),
    "media": set(),
    "align": set(),
    "matting": set(),
    "synthesis": set(),
    "compositing": set(),
    "pretrained": set(),
    "keying": {"media"},
    "data": {"media", "synthesis"},
    "pipeline": {"media", "align", "matting", "compositing", "report"},
    "evaluation": {"media", "pipeline"},
    "training": {"matting", "data", "evaluation", "media"},
    "report": {"media"},
    "app": {"pipeline", "align", "media", "report"},
    "howard": {"matting", "pipeline"},
    "__main__": {"howard", "cli"},
}
# Preparing data offline may align plates, training itself may not; the command that explains alignments reads files;
# composites to score are made as those to train on, and shown to the person prior; the person prior tells where the
# hair of training people is. Training registers the settings of its data with Hydra; the fusion of soft edges is fitted
# to frames that are made as in a render. The app shares cores as ``infer.py`` does.
EXCEPTIONS = {
    ("howard.app.__main__", "__main__"),
    ("howard.data.prepare", "align"),
    ("howard.training.train_settings", "settings"),
    ("howard.training.average", "cli"),
    ("howard.training.fusion.__main__", "cli"),
    ("howard.training.fusion.edge_patches", "align"),
    ("howard.training.fusion.edge_patches", "compositing"),
    ("howard.training.fusion.edge_patches", "pipeline"),
    ("howard.training.fusion.fit_fusion", "compositing"),
    ("howard.data.hair_masks", "matting"),
    ("howard.align.__main__", "media"),
    ("howard.evaluation.composites.unseen_composites", "data"),
    ("howard.evaluation.composites.unseen_composites", "synthesis"),
    ("howard.evaluation.suite.frozen_recipe", "synthesis"),
    ("howard.evaluation.suite.validation_sources", "data"),
    ("howard.evaluation.suite.rendering", "data"),
    ("howard.evaluation.suite.rendering", "synthesis"),
    ("howard.evaluation.suite.measuring", "matting"),
}
# Only what starts a program may read arguments and settings, and choose the network for what follows.
ENTRY_ROOMS = {"cli", "settings", "matting", "howard"}
# Anybody may ask for the version.
VERSION_NAMES = {"howard", "howard.__version__"}
FORBIDDEN_PACKAGES = {
    "media": {"torch", "lightning"},
    "settings": {"torch", "lightning"},
    "cli": {"torch", "lightning"},
    "howard": {"torch", "lightning"},
    "__main__": {"torch", "lightning"},
    "pipeline": {"lightning"},
    "matting": {"lightning"},
    "report": {"torch", "lightning"},
    "evaluation": {"lightning"},
}


def imported_names(source: str, module: str, is_package: bool) -> Iterator[str]:
    """Every dotted name that a module imports anywhere, absolute; ``from a import b`` gives ``a.b``."""
    package = module if is_package else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*parents, *filter(None, [node.module])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def room_of(name: str, rooms: set[str]) -> str:
    """The room that a dotted ``howard`` name lies in; what the package itself offers counts as ``howard``."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in rooms else "howard"


def violations(modules: Mapping[str, str], packages: frozenset[str] = frozenset()) -> list[str]:
    """One line for each import that points the wrong way; ``modules`` maps dotted names to source code."""
    rooms = set(ALLOWED) | {name.split(".")[1] for name in modules if "." in name}
    found = []
    for module, source in modules.items():
        room = room_of(module, rooms)
        if room not in ALLOWED:
            found.append(f"{module}: the room '{room}' is unknown; give it a line in ALLOWED")
            continue
        is_entry = module.rpartition(".")[2] == "__main__"
        allowed = {room} | LEAVES | ALLOWED[room] | (ENTRY_ROOMS if is_entry else set())
        for name in imported_names(source, module, module in packages):
            top = name.partition(".")[0]
            target = room_of(name, rooms)
            if top != "howard":
                if top in FORBIDDEN_PACKAGES.get(room, ()):
                    found.append(f"{module} imports {name}, which '{room}' does without")
            elif name not in VERSION_NAMES and target not in allowed and (module, target) not in EXCEPTIONS:
                found.append(f"{module} imports {name}: '{room}' may not know '{target}'")
    return found


def test_directions_hold() -> None:
    modules, packages = {}, set()
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        module = ".".join(parts[:-1] if is_package else parts)
        modules[module] = path.read_text(encoding="utf-8")
        if is_package:
            packages.add(module)
    assert violations(modules, frozenset(packages)) == []


@pytest.mark.parametrize(
    ("module", "source", "message"),
    [
        ("howard.align.plate_aligner", "import howard.matting.network", "'align' may not know 'matting'"),
        ("howard.align.plate_aligner", "from howard.matting import network", "'align' may not know 'matting'"),
        ("howard.align.plate_aligner", "from howard import matting", "'align' may not know 'matting'"),
        ("howard.align.plate_aligner", "from .. import matting", "'align' may not know 'matting'"),
        ("howard.align.plate_aligner", "from ..matting.network import Matte", "'align' may not know 'matting'"),
        ("howard.media", "def lazily():\n    from howard.align import plate", "'media' may not know 'align'"),
        ("howard.pipeline.run", "if True:\n    import lightning.pytorch", "which 'pipeline' does without"),
        ("howard.media.png_encoding", "import torch", "which 'media' does without"),
        ("howard.training.coarse", "from howard import cli", "'training' may not know 'cli'"),
        ("howard.pipeline.run", "from howard import remove_background", "'pipeline' may not know 'howard'"),
        ("howard.data.stills", "from howard.align import plate", "'data' may not know 'align'"),
        ("howard.errors", "import howard.media", "'errors' may not know 'media'"),
        ("howard.attic.dust", "", "the room 'attic' is unknown"),
    ],
)
def test_planted_violations_are_caught(module: str, source: str, message: str) -> None:
    (line,) = violations({module: source})
    assert message in line


@pytest.mark.parametrize(
    ("module", "source"),
    [
        (
            "howard.align.plate_aligner",
            "from howard.align import warp\nfrom howard.errors import InputError\nimport numpy",
        ),
        ("howard.align.plate_aligner", "from . import warp\nfrom .warp import sample"),
        ("howard.pipeline.sidecar", "import howard\nfrom howard import __version__"),
        ("howard.evaluation.__main__", "from howard import cli\nfrom howard.fields import setting"),
        ("howard.data.prepare", "from howard.align import plate"),
    ],
)
def test_allowed_imports_pass(module: str, source: str) -> None:
    assert violations({module: source}) == []


def test_settings_and_files_come_without_torch() -> None:
    program = "import sys, howard, howard.cli, howard.settings, howard.media; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=SOURCE, timeout=60).returncode == 0


def test_the_public_functions_are_imported_when_first_used() -> None:
    program = (
        "import sys, howard\n"
        "assert set(howard.__all__) <= set(dir(howard))\n"
        "assert not {'torch', 'cv2', 'howard.pipeline', 'howard.matting', 'howard.options'} & set(sys.modules)\n"
        "howard.cut_out_frames, howard.remove_background\n"
        "assert 'howard.pipeline' in sys.modules and 'torch' not in sys.modules\n"
        "from howard.matting import load_matting\n"
        "assert howard.load_matting is load_matting\n"
        "assert all(hasattr(howard, name) for name in howard.__all__)\n"
        "assert not hasattr(howard, 'add_background')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=SOURCE, timeout=300, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_set_up_needs_nothing_but_python() -> None:
    names = imported_names((ROOT / "run.py").read_text(encoding="utf-8"), "run", is_package=False)
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names
