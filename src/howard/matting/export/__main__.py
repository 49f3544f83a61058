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
    """Settings of the command."""

    output: str = setting(REQUIRED, "file to write", is_path=True)
    height: int = setting(REQUIRED, "of the images, in pixels")
    width: int = setting(REQUIRED, "of the images, in pixels")
    weights: str = setting("default", "name of weights included in Howard, or a weights file", is_path=True)
    format: str = setting("onnx", "onnx or torch_export")
    overwrite: bool = setting(False, "replace an existing file")


@cli.friendly
def main(arguments: list[str]) -> None:
    """Export the network and print the path of the file."""
    if cli.wants_help(arguments):
        print(cli.help_page(COMMAND, "Writes a network as one graph of fixed shapes.", ExportSettings, EXAMPLES))
        return
    settings = cli.read_settings(ExportSettings, arguments)
    output = Path(settings.output)
    if output.exists() and not settings.overwrite:
        raise OutputError(f"{output} already exists; choose another name or set overwrite=true")
    # The exporter warns about optional packages and internal details.
    warnings.simplefilter("ignore")
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    network, metadata = load_network(settings.weights)
    export_network(network, metadata, output, settings.format, height=settings.height, width=settings.width)
    print(f"{metadata.name} ({metadata.encoder}) for {settings.width}x{settings.height}: {output}")


if __name__ == "__main__":
    main(sys.argv[1:])
