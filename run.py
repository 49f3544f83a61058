"""Sets up Howard in .venv and runs it: `python run.py demo`, and likewise `app`, `test`, `lint` and `docs`.

Needs nothing but Python 3.11 or newer, on Linux, macOS and Windows. What has been installed is remembered in a stamp,
so that only the first run takes its time.
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = ENVIRONMENT / "howard.json"
DEVELOPERS = ("app", "dev", "export", "farm", "heic", "stream", "train", "xfeat")
EXTRAS = {"demo": (), "app": ("app",), "test": DEVELOPERS, "lint": DEVELOPERS, "docs": ("docs",)}
SITE = "build/docs"
SAMPLE = ("data/sample/shot.mp4", "data/sample/plate.mp4")
DEMO = {"input": SAMPLE[0], "plate": SAMPLE[1], "output": "renders/demo"}
USAGE = """usage: python run.py VERB [ARGUMENTS]

  demo                 cut the person out of the sample clip in data/sample
  app [...]            open the app in the browser, with the sample clip; arguments go to howard.app
  test [--slow] [...]  run the quick tests, or with --slow the slow ones; other arguments go to pytest
  lint                 check style and types
  docs [...]           build the documentation's site in build/docs; other arguments go to Sphinx"""


class SetupError(Exception):
    """The set-up cannot go on; the text is one line with the cure."""


def main(arguments):
    """Carry out one verb; returns the exit code."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(USAGE)
        return 0
    verb, rest = arguments[0], arguments[1:]
    verbs = {"demo": demo, "app": app, "test": test, "lint": lint, "docs": docs}
    try:
        if verb not in verbs:
            raise SetupError(f"there is no '{verb}': say {', '.join(verbs)}")
        if sys.version_info < (3, 11):  # noqa: UP036 - this file alone is started by whatever Python there is
            raise SetupError(
                f"Howard needs Python 3.11 or newer; this is {sys.version.split()[0]}. Start run.py by a newer one: "
                f"python3.13 run.py {verb}, or make {verb} PYTHON=python3.13"
            )
        set_up(EXTRAS[verb])
        return verbs[verb](rest)
    except SetupError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


def demo(arguments):
    """Render the sample clip; a finished render is resumed, hence cheap to repeat."""
    code = run_python("infer.py", *(f"{key}={path}" for key, path in DEMO.items()), *arguments)
    if code == 0:
        print(f"The person, as RGBA frames with straight alpha: {ROOT / DEMO['output']}")
    return code


def app(arguments):
    """Serve the app; without arguments it shows the sample clip."""
    return run_python("-m", "howard.app", *(arguments or SAMPLE))


def test(arguments):
    """Run pytest on two processes; each begins with tests of its own files, whose fixtures are then made once."""
    selection = "slow" if "--slow" in arguments else "not slow"
    others = (each for each in arguments if each != "--slow")
    return run_python("-m", "pytest", "-n", "2", "--dist", "worksteal", "-m", selection, *others)


def lint(arguments):
    """Run every check, even after one has failed; returns the first failure's code."""
    checks = (("ruff", "check"), ("ruff", "format", "--check"), ("pyright",))
    codes = [run_python("-m", *check, *arguments) for check in checks]
    return next(filter(None, codes), 0)


def docs(arguments):
    """Build the site afresh, so that every warning is seen each time; a warning fails it, after all have been shown."""
    code = run_python("-m", "sphinx", "-b", "html", "-E", "-W", "--keep-going", "-q", *arguments, "docs", SITE)
    if code == 0:
        print(f"The documentation: {ROOT / SITE / 'index.html'}")
    return code


def run_python(*arguments):
    """Run the environment's Python in the repository's folder; returns the exit code."""
    return subprocess.run([str(PYTHON), *arguments], cwd=ROOT).returncode


def set_up(extras):
    """Create .venv and install Howard with these extras, unless that was done before with the same requirements."""
    fingerprint = requirements_fingerprint()
    installed = stamped_extras(fingerprint)
    if installed is not None and installed.issuperset(extras):
        return
    # Without its stamp an interrupted set-up starts again, instead of passing for a finished one.
    STAMP.unlink(missing_ok=True)
    if not environment_works():
        print("Creating .venv ...", flush=True)
        attempt([sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)], "could not create .venv")
    wanted = sorted(installed.union(extras) if installed else extras)
    print("Installing Howard into .venv (only once; a minute or two) ...", flush=True)
    target = f".[{','.join(wanted)}]" if wanted else "."
    pip = [str(PYTHON), "-m", "pip", "install", "-qq", "--no-input", "--disable-pip-version-check"]
    attempt([*pip, "-c", "requirements.lock", "-e", target], "pip failed (see its output above)")
    write_stamp(fingerprint, wanted)


def requirements_fingerprint():
    """Hash of everything that decides what gets installed."""
    contents = (ROOT / name for name in ("pyproject.toml", "requirements.lock"))
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in contents)).hexdigest()


def stamped_extras(fingerprint):
    """The set of extras in .venv, or None where it does not hold what is required now."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
        same = stamp["fingerprint"] == fingerprint and PYTHON.exists()
        return set(stamp["extras"]) if same else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_stamp(fingerprint, extras):
    """Say what .venv holds; by renaming, so that no half stamp is ever read."""
    partial = STAMP.with_suffix(".partial")
    partial.write_text(json.dumps({"fingerprint": fingerprint, "extras": extras}), encoding="utf-8")
    partial.replace(STAMP)


def environment_works():
    """Whether .venv has a Python that is new enough and has pip."""
    check = "import pip, sys; sys.exit(sys.version_info < (3, 11))"
    try:
        return subprocess.run([str(PYTHON), "-c", check], capture_output=True).returncode == 0
    except OSError:
        return False


def attempt(command, failure):
    """Run a command of the set-up; a failure ends the set-up."""
    code = subprocess.run(command, cwd=ROOT).returncode
    if code != 0:
        raise SetupError(f"{failure}; exit code {code}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
