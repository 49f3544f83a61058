"""``python -m howard.align explain``: an image that shows how the plate was aligned to one frame of a shot."""

import sys
from dataclasses import dataclass
from pathlib import Path

import cv2

from howard import cli
from howard.align.explain import render_explanation
from howard.align.plate_aligner import PlateAligner
from howard.errors import OutputError
from howard.fields import REQUIRED, setting
from howard.media import choose_frames, open_reader
from howard.quality import QUALITY_CHOICES

COMMAND = "python -m howard.align explain"
EXAMPLES = (f"{COMMAND} shot=shot.mov plate=plate.mov frame=120 output=why.png",)


@dataclass
class ExplainSettings:
    """Settings of the command."""

    shot: str = setting(REQUIRED, "the shot: a video, an image sequence or a still", is_path=True, aliases=("input",))
    plate: str = setting(REQUIRED, "the same place, empty", is_path=True)
    frame: int | None = setting(
        None, "number of the frame, as for infer.py's preview=: a video begins at 1; the first if left out"
    )
    output: str = setting("alignment.png", "the picture to write, always as PNG", is_path=True)
    quality: str = setting("standard", "of the alignment", choices=QUALITY_CHOICES)


@cli.friendly
def main(arguments: list[str]) -> None:
    """Align one frame and write the picture."""
    verb, *rest = arguments or [""]
    if cli.wants_help(arguments) or verb != "explain":
        print(cli.help_page(COMMAND, "Shows the matches and the remaining differences.", ExplainSettings, EXAMPLES))
        return
    settings = cli.read_settings(ExplainSettings, rest)
    with open_reader(settings.shot) as shot, open_reader(settings.plate) as plate:
        number = shot.info.first_number if settings.frame is None else settings.frame
        (index,) = choose_frames(number, shot.info, "frame")
        source = shot[index]
        aligned = PlateAligner(plate, quality=settings.quality).align(source)
        empty = plate[aligned.main_index if aligned.plate_indices else 0]
    picture = render_explanation(source.image, empty.image, aligned)
    _, encoded = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    try:
        Path(settings.output).write_bytes(encoded.tobytes())
    except OSError as error:
        reason = f"{settings.output} cannot be written: {error.strerror}"
        raise OutputError(f"{reason}; give output= another place") from error
    print(f"frame {number}: {aligned.status}; see {settings.output}")


if __name__ == "__main__":
    main(sys.argv[1:])
