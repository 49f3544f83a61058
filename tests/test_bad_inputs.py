"""Whatever a film-maker can get wrong: one line that names it, exit code 2, and nothing written, changed or lost."""

import os
import runpy
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
SIZE = 320, 240


def picture(seed: int = 0, size: tuple[int, int] = SIZE) -> np.ndarray:
    """Blurred noise, (H, W, 3) uint8: something to match."""
    noise = np.random.default_rng(seed).integers(0, 256, (*size[::-1], 3), np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 2)


def still(path: Path, seed: int = 0, size: tuple[int, int] = SIZE) -> Path:
    path.parent.mkdir(exist_ok=True)
    cv2.imwrite(str(path), picture(seed, size))
    return path


def video(path: Path, count: int = 4, options: dict[str, str] | None = None) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24, options=options or {})
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        for _ in range(count):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(), format="rgb24")))
        container.mux(stream.encode(None))
    return path


def sound(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    return path


def truncated(path: Path, share: float = 0.6) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    return path


def text(path: Path) -> Path:
    path.write_text("shopping list")
    return path


def gap(folder: Path) -> Path:
    for number in (1, 2, 4):
        still(folder / f"shot.{number:04d}.png")
    return folder


def mixed(folder: Path) -> Path:
    still(folder / "shot.0001.png")
    still(folder / "shot.0002.png", size=(240, 320))
    return folder


def folder_of(path: Path) -> Path:
    path.parent.mkdir()
    return path.parent


BAD: dict[str, tuple[Callable[[], list[str]], str]] = {
    "no shot": (lambda: ["input=nowhere.mp4"], "nowhere.mp4 does not exist"),
    "no plate": (lambda: ["plate=nowhere.mp4"], "nowhere.mp4 does not exist"),
    "an empty file": (lambda: [f"input={Path('a.mp4').write_text('') or 'a.mp4'}"], "a.mp4 is empty"),
    "text called a video": (lambda: [f"input={text(Path('a.mp4'))}"], "a.mp4 cannot be read as a video"),
    "text called a picture": (lambda: [f"input={text(Path('a.png'))}"], "a.png"),
    "a video without its index": (lambda: [f"input={truncated(video(Path('a.mp4')))}"], "a.mp4 cannot be read"),
    "a picture cut short": (lambda: [f"plate={truncated(still(Path('a.png')))}"], "a.png"),
    "a shot of sound alone": (lambda: [f"input={sound(Path('a.wav'))}"], "a.wav"),
    "a plate of sound alone": (lambda: [f"plate={sound(Path('a.wav'))}"], "a.wav"),
    "an empty folder": (lambda: [f"input={folder_of(Path('empty/a'))}"], "empty"),
    "a folder of text": (lambda: [f"input={text(folder_of(Path('notes/a')) / 'a.txt').parent}"], "notes"),
    "a gap in a sequence": (lambda: [f"input={gap(Path('seq'))}"], "3"),
    "a pattern without files": (lambda: ["input=shot.%04d.png"], "shot.%04d.png"),
    "a tiny picture": (lambda: [f"input={still(Path('a.png'), size=(50, 40))}"], "a.png is 50x40"),
    "interlaced video": (lambda: [f"input={video(Path('a.mp4'), options={'x264-params': 'tff=1'})}"], "interlaced"),
    "frames outside": (lambda: ["frames=3-9"], "frames=3-9 is outside"),
    "frames backwards": (lambda: ["frames=3-1"], "write frames=1-3"),
    "frames in words": (lambda: ["frames=all"], "frames=all is not a frame or a range"),
    "a preview outside": (lambda: ["preview=77"], "77 is outside"),
    "a preview in words": (lambda: ["preview=first"], "preview=first is not a whole number"),
    "an unknown format": (lambda: ["format=gif"], "format=gif is not known; choose png"),
    "a composite over nothing": (lambda: ["format=composite"], "needs background="),
    "an unknown background": (lambda: ["background=octarine"], "background=octarine is neither"),
    "a background in a movie": (lambda: ["format=prores", "background=green"], "background= needs"),
    "an alpha mode of a movie": (
        lambda: ["format=prores", "alpha_mode=straight"],
        "alpha_mode=straight needs format=png, png16 or exr",
    ),
    "an unknown alpha mode": (lambda: ["alpha_mode=odd"], "alpha_mode=odd is not known; choose auto, straight or"),
    "an unknown compression": (
        lambda: ["format=exr", "exr_compression=rar"],
        "exr_compression=rar is not known; choose zip",
    ),
    "an unknown colour": (lambda: ["input_colour=sepia"], "sepia"),
    "an unknown colour of the plate": (lambda: ["plate_colour=sepia"], "sepia"),
    "an impossible rate": (lambda: ["frame_rate=24/0"], "frame_rate=24/0 is not a frame rate"),
    "no weights": (lambda: ["weights=mine.pth"], "no weights 'mine.pth'"),
    "text called weights": (lambda: [f"weights={text(Path('a.safetensors'))}"], "a.safetensors"),
    "weights cut short": (lambda: [f"weights={cut_weights(Path('b.safetensors'))}"], "b.safetensors"),
    "an unknown device": (lambda: ["device=abacus"], "device=abacus is not known; choose auto"),
    "an unknown precision": (lambda: ["precision=fp8"], "precision=fp8 is not known"),
    "half precision on a cpu": (lambda: ["precision=fp16", "device=cpu"], "precision=fp16 is for GPUs"),
    "an unknown quality": (lambda: ["quality=superb"], "quality=superb is not known; choose fast"),
    "unknown edges": (lambda: ["edges=red"], "edges=red is not known; choose solved or network"),
    "no mask": (lambda: ["garbage=nowhere.png"], "nowhere.png does not exist"),
    "a mask of another length": (lambda: [f"holdout={video(Path('mask.mp4'), 3)}"], "mask.mp4 has 3 frames"),
    "no threads": (lambda: ["threads=0"], "threads=0"),
    "a file for a folder": (lambda: [f"output={text(Path('a.txt'))}"], "a.txt is a file"),
    "a folder that is a circle of links": (lambda: [f"output={circle(Path('loop'))}"], "loop cannot be a folder"),
    "a folder in a circle of links": (lambda: [f"output={circle(Path('loop'))}/out"], "loop/out cannot be a folder"),
    "a link to nowhere": (lambda: [f"output={link(Path('gone'))}"], "gone"),
    "a folder of a name too long": (lambda: [f"output={'a' * 300}"], "cannot be a folder (File name too long)"),
    "a frame of a huge number": (lambda: [f"frames={'9' * 5000}"], "999 is not a frame or a range"),
    "a preview of a huge number": (lambda: [f"preview={'9' * 5000}"], "999 is not a whole number"),
    "a huge rate": (lambda: ["frame_rate=1e308"], "frame_rate=1e308 is not a frame rate"),
    "a folder in a file": (lambda: [f"output={text(Path('a.txt'))}/out"], "a.txt"),
    "somebody's folder": (lambda: [f"output={text(folder_of(Path('mine/a')) / 'a').parent}"], "overwrite=true"),
    "a typing error": (lambda: ["fromat=exr"], "did you mean 'format'?"),
    "no value": (lambda: ["format="], "format= has no value"),
    "no key": (lambda: ["prores"], "'prores' is not key=value"),
    "dashes": (lambda: ["--format=exr"], "unknown option '--format'"),
    "neither true nor false": (lambda: ["overwrite=maybe"], "overwrite=maybe is not true or false"),
}


def circle(path: Path) -> Path:
    path.symlink_to(path.name)
    return path


def link(path: Path) -> Path:
    path.symlink_to("nowhere")
    return path


def cut_weights(path: Path) -> Path:
    shipped = ROOT / "src" / "howard" / "pretrained" / "refine_lite.safetensors"
    path.write_bytes(shipped.read_bytes()[:100_000])
    return path


@pytest.fixture
def infer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[list[str]], None]]:
    """The command, run in a folder with a shot and a plate; later arguments replace earlier ones."""
    monkeypatch.chdir(tmp_path)
    for name in ("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "OPENBLAS_NUM_THREADS", "THP_MEM_ALLOC_ENABLE"):
        monkeypatch.setenv(name, "1")
    video(Path("shot.mp4"))
    still(Path("plate.png"))
    main = runpy.run_path(str(ROOT / "infer.py"))["main"]
    threads = cv2.getNumThreads()

    def run(arguments: list[str]) -> None:
        chosen = dict(each.split("=", 1) for each in ("input=shot.mp4", "plate=plate.png", "output=out"))
        given = {each.partition("=")[0]: each for each in arguments}
        main([*(f"{key}={value}" for key, value in chosen.items() if key not in given), *given.values()])

    yield run
    cv2.setNumThreads(threads)


def contents() -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(Path().rglob("*")) if path.is_file()}


@pytest.mark.parametrize("case", BAD)
def test_one_line_and_nothing_touched(infer, capsys, case):
    make, message = BAD[case]
    arguments = make()
    before = contents()
    with pytest.raises(SystemExit) as left:
        infer(arguments)
    assert left.value.code == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert message in line
    assert contents() == before
    assert not Path("out").exists()


def test_frames_are_never_written_over_the_shot(infer, capsys):
    still(Path("seq/shot.0001.png"))
    still(Path("seq/shot.0002.png"))
    before = contents()
    with pytest.raises(SystemExit):
        infer(["input=seq/shot.%04d.png", "output=seq", "overwrite=true"])
    assert "is read and would be overwritten" in capsys.readouterr().err
    assert contents() == before


def test_a_picture_of_another_size_ends_the_render_and_keeps_what_is_done(infer, capsys):
    with pytest.raises(SystemExit):
        infer([f"input={mixed(Path('seq'))}"])
    assert "shot.0002.png" in capsys.readouterr().err
    still(Path("seq/shot.0002.png"))
    # Nobody is in the picture.
    with pytest.raises(SystemExit, match="3"):
        infer(["input=seq", "overwrite=true"])
    assert "2 frames rendered" in capsys.readouterr().out


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")
def test_files_and_folders_that_are_not_ours(infer, capsys):
    still(Path("secret.png")).chmod(0)
    with pytest.raises(SystemExit):
        infer(["plate=secret.png"])
    assert "secret.png" in capsys.readouterr().err
    Path("locked").mkdir(mode=0o500)
    with pytest.raises(SystemExit):
        infer(["output=locked/out"])
    assert "locked" in capsys.readouterr().err


ODD: dict[str, Callable[[], list[str]]] = {
    "a plate of another shape": lambda: [f"plate={wide(Path('wide.png'))}"],
    "a plate of another place": lambda: [f"plate={still(Path('other.png'), seed=9)}"],
    "a black plate": lambda: [f"plate={black(Path('black.png'))}"],
    "a longer plate": lambda: [f"plate={video(Path('long.mp4'), 9)}"],
    "a still for a shot": lambda: [f"input={still(Path('still.png'))}"],
}


def wide(path: Path) -> Path:
    """The place in a larger picture, with its upper and lower edge cut off."""
    cv2.imwrite(str(path), cv2.resize(picture()[30:-30], None, fx=1.5, fy=1.5, interpolation=cv2.INTER_CUBIC))
    return path


def black(path: Path) -> Path:
    cv2.imwrite(str(path), np.zeros((*SIZE[::-1], 3), np.uint8))
    return path


@pytest.mark.parametrize("case", ODD)
def test_odd_plates_are_rendered_and_said(infer, capsys, case):
    with pytest.raises(SystemExit, match="3"):
        infer([*ODD[case](), "report=false"])
    said, error = capsys.readouterr()
    assert " rendered in " in said
    is_useless = case in ("a plate of another place", "a black plate")
    assert ("unusable, no plate frame fits" in said) == is_useless
    assert ("needs checking, nobody found" in said) or is_useless
    assert error == "error: no frame in out can be used; the lines above say why\n"
    count = 1 if case == "a still for a shot" else 4
    assert len(list(Path("out").glob("*.png"))) == count
