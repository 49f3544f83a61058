"""``python -m howard.matting.export weights=... format=onnx height=1080 width=1920 output=...``"""

import logging
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path

from howard import cli
from howard.errors import OutputError
from howard.fields import REQUIRED, setting
from howard.matting.export.graph import export_network
from howard.matting.weights import load_network

COMMAND = "python -m howard.matting.export"
EXAMPLES = (
    f"{COMMAND} height=1080 width=1920 output=howard.onnx",
    f"{COMMAND} weights=mine.safetensors format=torch_export height=720 width=1280 output=mine.pt2",
)


@dataclass
class ExportSettings:
    """What the command can be told."""

    output: str = setting(REQUIRED, "file to write", is_path=True)
    height: int = setting(REQUIRED, "of the pictures, in pixels")
    width: int = setting(REQUIRED, "of the pictures, in pixels")
    weights: str = setting("default", "name of weights that ship with Howard, or a weights file", is_path=True)
    format: str = setting("onnx", "onnx or torch_export")
    overwrite: bool = setting(False, "replace a file that is there already")


@cli.friendly
def main(arguments: list[str]) -> None:
    """Export, and say where to."""
    if cli.wants_help(arguments):
        print(cli.help_page(COMMAND, "Writes a network as one graph of fixed shapes.", ExportSettings, EXAMPLES))
        return
    settings = cli.read_settings(ExportSettings, arguments)
    output = Path(settings.output)
    if output.exists() and not settings.overwrite:
        raise OutputError(f"{output} is there already; choose another name or set overwrite=true")
    # The exporter tells of packages it could use and of its own insides.
    warnings.simplefilter("ignore")
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    network, metadata = load_network(settings.weights)
    export_network(network, metadata, output, settings.format, height=settings.height, width=settings.width)
    print(f"{metadata.name} ({metadata.encoder}) for {settings.width}x{settings.height}: {output}")


if __name__ == "__main__":
    main(sys.argv[1:])
