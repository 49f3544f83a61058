"""Full disks, unwritable folders and killed runs, for every format."""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

# Writes frames of noise into a folder as one format, until told to stop. Arguments: folder, format, frames, the most
# bytes a file may have (0 for any number), and seconds to wait after each frame.
WRITE = """
import resource, sys, time
from fractions import Fraction
from pathlib import Path
import numpy as np
from howard.errors import HowardError
from howard.media import ClipInfo, open_writer

folder, name = Path(sys.argv[1]), sys.argv[2]
frames, limit, pause = int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
path = Path("shot.mov")
clip = ClipInfo(path=path, files=(path,), name="shot", width=96, height=64, frame_count=frames,
                frame_rate=Fraction(24), duration=Fraction(frames, 24), pixel_format="rgb24")
writer = open_writer(name, folder, clip, range(frames))
if hasattr(writer, "_segment_frames"):
    writer._segment_frames = 3
try:
    missing = {n for n in range(1, frames + 1) if not writer.has(n)}
    pending = [n for n in range(1, frames + 1) if not missing.isdisjoint(writer.batch(n))]
    writer.begin(pending)
    for number in pending:
        picture = np.random.default_rng(number).integers(0, 65536, (64, 96, 4), dtype=np.uint16)
        writer.write(number, writer.prepare(picture if name != "composite" else picture[..., :3]))
        time.sleep(pause)
    writer.finish({n: Fraction(n - 1, 24) for n in range(1, frames + 1)})
    print(len(pending))
except HowardError as error:
    writer.close()
    sys.exit(f"error: {error}")
"""
FORMATS = ("png", "png16", "exr", "prores", "ffv1", "webm", "matte", "composite")


def write(folder: Path, name: str, frames: int = 7, limit: int = 0, **more) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-c", WRITE, str(folder), name, str(frames), str(limit), "0"]
    return subprocess.run(line, capture_output=True, text=True, timeout=60, check=False, **more)


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def one_line(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 1, result.stderr
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    return line


@pytest.mark.parametrize("name", FORMATS)
def test_a_full_disk_raises_one_error_and_leaves_no_partial_file(tmp_path, name):
    assert "cannot be written (File too large)" in one_line(write(tmp_path, name, limit=3000))
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", ["prores", *(pytest.param(n, marks=pytest.mark.slow) for n in ("ffv1", "composite"))])
def test_a_full_disk_while_joining_keeps_the_segments(tmp_path, name):
    (tmp_path / "whole").mkdir()
    write(tmp_path / "whole", name)
    (whole,) = (tmp_path / "whole").iterdir()
    # The last bytes of a movie are its index, written when it is closed.
    for limit in (whole.stat().st_size * 2 // 3, whole.stat().st_size - 1):
        folder = tmp_path / str(limit)
        assert "cannot be written (File too large)" in one_line(write(folder, name, limit=limit))
        assert len(names(folder)) == 3
        assert all(".parts" in each for each in names(folder))
        assert write(folder, name).stdout == "0\n"
        assert names(folder) == [whole.name]


def test_a_full_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    if mount is None or subprocess.run([mount, "-t", "tmpfs", "-o", "size=128k", "none", disk], check=False).returncode:
        pytest.skip("a small disk can only be mounted by root")
    try:
        for name in ("png", "exr", "prores"):
            assert "cannot be written (No space left on device)" in one_line(write(disk / name, name, frames=50))
            assert all(each.endswith((".png", ".exr", ".mov")) for each in names(disk))
            shutil.rmtree(disk / name)
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.mark.parametrize("name", ["png", "exr", "prores"])
def test_an_unwritable_folder(tmp_path, name):
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    chattr = shutil.which("chattr")
    is_locked = not os.access(folder, os.W_OK)
    if not is_locked and (chattr is None or subprocess.run([chattr, "+i", folder], check=False).returncode):
        pytest.skip("root may write anywhere here")
    try:
        line = one_line(write(folder, name))
        assert "cannot be" in line
        assert "denied" in line or "not permitted" in line
        assert names(folder) == []
    finally:
        if not is_locked:
            subprocess.run([str(chattr), "-i", folder], check=True)


@pytest.mark.parametrize("name", ["png", "exr", "matte"])
def test_a_file_with_the_folder_s_name(tmp_path, name):
    (tmp_path / "taken").write_text("mine")
    assert "taken" in one_line(write(tmp_path / "taken", name))
    assert (tmp_path / "taken").read_text() == "mine"


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_a_killed_run_leaves_no_partial_file_and_can_be_resumed(tmp_path, decode, name):
    assert write(tmp_path / "whole", name).returncode == 0
    folder = tmp_path / "killed"
    for moment in (1, 3, 5):
        line = [sys.executable, "-c", WRITE, str(folder), name, "7", "0", "0.02"]
        process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while process.poll() is None and time.monotonic() < deadline:
            # A folder may vanish while it is listed: its movie has just been joined.
            with suppress(FileNotFoundError):
                if folder.exists() and len(names(folder)) >= moment:
                    break
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.wait()
        for each in names(folder):
            assert Path(each).name.startswith(".") or ".parts" in each or each in names(tmp_path / "whole")
    assert write(folder, name).returncode == 0
    assert names(folder) == names(tmp_path / "whole")
    for each in names(folder):
        whole, resumed = tmp_path / "whole" / each, folder / each
        if name in ("png", "png16", "exr"):
            assert resumed.read_bytes() == whole.read_bytes()
        else:
            height, width = 64, 96
            np.testing.assert_array_equal(decode(resumed, width, height), decode(whole, width, height))
