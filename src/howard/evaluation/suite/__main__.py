"""``python -m howard.evaluation.suite``: measures weights on the validation suite, or compares two measurements."""

import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from howard import cli
from howard.choices import EDGES, PRECISIONS, check_device
from howard.errors import SettingsError
from howard.fields import at_least, setting
from howard.media import write_atomically
from howard.media.files import make_folder
from howard.progress import open_progress
from howard.quality import QUALITIES, QUALITY_CHOICES
from howard.settings import DataNode, data_dir

COMMAND = "python -m howard.evaluation.suite"
PURPOSE = "Measures weights on fixed composites of unseen people, phenomenon by phenomenon, or compares two results."
EXAMPLES = (
    f"{COMMAND} root=data",
    f"{COMMAND} root=data weights=mine.safetensors limit=24 stills_only=true",
    f"{COMMAND} root=data phenomena=[hair,low_light] output=suite/mine quality=best",
    f"{COMMAND} compare=[suite/shipped/results.json,suite/mine/results.json]",
)
RESULTS = "results.json"
_QUALITIES = {name: QUALITY_CHOICES[name] for name in ("standard", "best")}
_TOO_FEW = "is too few; at least one is needed"
_FILE_WIDTH = 180  # columns of a table that is not printed to a terminal


@dataclass
class SuiteSettings:
    """Settings of the command."""

    root: str = setting(data_dir(), "folder of collections, as data.root= of train.py", is_path=True)
    weights: str = setting("default", "name of weights included in Howard, or a file", is_path=True)
    phenomena: str | None = setting(None, "only these phenomena, as [hair,low_light]; all if left out")
    output: str | None = setting(None, f"folder for {RESULTS} and contact sheets; none if left out", is_path=True)
    quality: str = setting("standard", "of the predictor", choices=_QUALITIES)
    edges: str = setting("network", "soft edges", choices=EDGES)
    limit: int | None = setting(
        None, "number of composites of each phenomenon, the first ones; all if left out", check=at_least(1, _TOO_FEW)
    )
    stills_only: bool = setting(False, "leave clips out")
    conn: bool = setting(False, "compute Conn too, which takes longer than all other metrics")
    worst: int = setting(12, "number of composites on a contact sheet, by MAD", check=at_least(1, _TOO_FEW))
    device: str = setting("auto", "device of the network: auto, cpu, cuda, cuda:1, mps, ...", check=check_device)
    precision: str = setting("auto", "numeric precision of the network", choices=PRECISIONS)
    workers: int = setting(DataNode.workers, "processes that render composites; 0 renders in this process")
    cache: str | None = setting(None, "folder for rendered composites; ~/.cache/howard/suite if left out", is_path=True)
    compare: str | None = setting(None, f"two {RESULTS} as [before.json,after.json]: only print their ratios")


@cli.friendly
def main(arguments: list[str]) -> None:
    """Run the suite and print the table, or compare two results."""
    if cli.wants_help(arguments):
        print(cli.help_page(COMMAND, PURPOSE, SuiteSettings, EXAMPLES))
        return
    settings = cli.read_settings(SuiteSettings, arguments)
    if settings.compare is not None:
        compare([Path(each) for each in _parse_list(settings.compare)])
    else:
        run(settings)


def compare(paths: list[Path]) -> None:
    """Print the ratios of two results."""
    from howard.evaluation.suite.results import read_results
    from howard.evaluation.suite.suite_comparison import compare_results, ratios_table

    if len(paths) != 2:
        raise SettingsError(f"compare= takes two files, not {len(paths)}: compare=[before.json,after.json]")
    table = ratios_table(compare_results(*(read_results(path) for path in paths)))
    table.title = f"{paths[1]} / {paths[0]}, with the 95 % interval of a paired bootstrap"
    _console().print(table)


def run(settings: SuiteSettings) -> None:
    """Measure weights and print the table; with ``output``, also write results and contact sheets."""
    # Imported after the settings are checked, because torch takes seconds to load.
    import cv2

    from howard.evaluation.suite.frozen_recipe import load_recipe
    from howard.evaluation.suite.results import results_table
    from howard.evaluation.suite.running import SuiteOptions, SuiteRun, describe_weights
    from howard.matting import load_matting
    from howard.matting.weights import find_weights

    cv2.setNumThreads(1)  # OpenCV's thread pool does not survive the forking of workers
    output = None if settings.output is None else Path(settings.output)
    cache = None if settings.cache is None else Path(settings.cache)
    phenomena = None if settings.phenomena is None else _parse_list(settings.phenomena)
    options = SuiteOptions(
        phenomena, settings.limit, settings.stills_only, settings.conn, output, settings.worst, settings.edges
    )
    suite = SuiteRun(load_recipe(), Path(settings.root), options, cache, settings.workers)
    predictor = load_matting(
        settings.weights, settings.device, settings.precision, QUALITIES[settings.quality].augmented
    )
    about = {
        "weights": describe_weights(find_weights(settings.weights)),
        "quality": settings.quality,
        "edges": settings.edges,
        "precision": predictor.precision,
        "device": predictor.device.type,
    }
    console = _console()
    console.print(f"validation people and places: {', '.join(f'{k} {n}' for k, n in suite.sources.counts.items())}")
    with open_progress("auto", sys.stderr) as progress:
        results = suite.run(predictor, about, progress)
    console.print(results_table(results))
    seconds = results.about["seconds"]
    console.print(", ".join(f"{part} {value:.1f} s" for part, value in seconds.items()))
    if output is not None:
        make_folder(output)
        write_atomically(output / RESULTS, results.to_json().encode())
        console.print(f"results and contact sheets: {output}")


def _parse_list(text: str) -> list[str]:
    """The items of ``[a,b]`` or ``a,b``."""
    return [each.strip() for each in text.removeprefix("[").removesuffix("]").split(",") if each.strip()]


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else _FILE_WIDTH, soft_wrap=False)


if __name__ == "__main__":
    main(sys.argv[1:])
