"""``python -m howard.matting.convert tflite=selfie_multiclass_256x256.tflite output=person_prior.safetensors``"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from howard import cli
from howard.errors import OutputError
from howard.fields import REQUIRED, setting
from howard.matting.convert import FLOAT32_PREFIXES, METADATA, convert_selfie_multiclass
from howard.matting.person_prior import METADATA_KEY
from howard.matting.state_files import save_state

COMMAND = "python -m howard.matting.convert"
EXAMPLES = (f"{COMMAND} tflite=selfie_multiclass_256x256.tflite output=person_prior.safetensors",)


@dataclass
class ConvertSettings:
    """Settings of the command."""

    tflite: str = setting(REQUIRED, "MediaPipe's selfie_multiclass_256x256.tflite", is_path=True)
    output: str = setting(REQUIRED, "safetensors file to write", is_path=True)
    overwrite: bool = setting(False, "replace an existing file")


@cli.friendly
def main(arguments: list[str]) -> None:
    """Convert the weights and print the path of the file."""
    if cli.wants_help(arguments):
        print(cli.help_page(COMMAND, "Converts the weights of the person prior.", ConvertSettings, EXAMPLES))
        return
    settings = cli.read_settings(ConvertSettings, arguments)
    output = Path(settings.output)
    if output.exists() and not settings.overwrite:
        raise OutputError(f"{output} already exists; choose another name or set overwrite=true")
    state = convert_selfie_multiclass(Path(settings.tflite))
    save_state(output, state, {METADATA_KEY: json.dumps(METADATA)}, FLOAT32_PREFIXES)
    print(f"{METADATA['name']}, {sum(value.numel() for value in state.values()):,} parameters: {output}")


if __name__ == "__main__":
    main(sys.argv[1:])
