"""Cuts the person out of a shot: ``python infer.py input=SHOT plate=PLATE output=FOLDER``; ``--help`` says the rest."""

import sys

import howard
from howard import cli
from howard.settings import InferSettings

EXAMPLES = (
    "python infer.py input=shot.mp4 plate=plate.mp4",
    'python infer.py "input=my shot.mp4" plate=plate.mp4 output=renders/first frames=1-100 background=green',
    "python infer.py input=shot.mov plate=plate.mov format=prores",
)


@cli.friendly
def main(arguments: list[str]) -> None:
    """Read the settings, render, and say how it went."""
    if cli.wants_help(arguments):
        print(cli.help_page("python infer.py", howard.__doc__ or "", InferSettings, EXAMPLES))
        return
    settings = cli.read_settings(InferSettings, "infer", arguments)
    summary = howard.remove_background(
        settings.input,
        settings.plate,
        settings.output_folder,
        weights=settings.weights,
        device=settings.device,
        precision=settings.precision,
        quality=settings.quality,
        frames=settings.frames,
        format=settings.format,
        background=settings.background,
        exr_compression=settings.exr_compression,
        input_colour=settings.input_colour,
        plate_colour=settings.plate_colour,
        frame_rate=settings.frame_rate,
        overwrite=settings.overwrite,
    )
    print(f"{summary.rendered} frames rendered, {summary.skipped} were there already: {summary.output}")
    for status, numbers in (("weak", summary.weak), ("failed", summary.failed)):
        if numbers:
            first, *others = numbers
            more = f" and {len(others)} more" if others else ""
            print(f"worth a look, plate alignment {status}: frame {first}{more}")


if __name__ == "__main__":
    main(sys.argv[1:])
