"""The commands that install: none runs in a test as it stands, since each of them downloads packages."""

from tests.documentation.miniature import Elsewhere, Table

_HERE = "tests/documentation/test_setting_up.py::"
_PACKAGES = (
    *('".[train]"', '".[heic]"', '".[xfeat]"', '-e ".[train]"', '-e ".[farm]"', '-e ".[train,stream]"'),
    *('".[app]"', "wandb-workspaces"),
)
_APP = "tests/test_run.py::test_app_shows_the_sample_unless_told_otherwise"

COMMANDS: Table = {
    "make demo": Elsewhere(f"{_HERE}test_make_calls_the_script", "installs into .venv first"),
    "make test": Elsewhere(f"{_HERE}test_make_calls_the_script", "installs into .venv first"),
    "python run.py demo": Elsewhere(f"{_HERE}test_the_demo_renders_the_sample", "installs into .venv first"),
    "python run.py test": Elsewhere(f"{_HERE}test_the_quick_tests_are_started", "installs into .venv first"),
    **{
        f"python run.py test {arguments}": Elsewhere(
            "tests/test_run.py::test_test_leaves_slow_ones_out_unless_asked", "installs into .venv first"
        )
        for arguments in ("--slow", "tests/media")
    },
    "python run.py lint": Elsewhere(
        "tests/test_run.py::test_lint_runs_every_check_and_reports_the_first_failure", "installs into .venv first"
    ),
    "python run.py docs": Elsewhere(f"{_HERE}test_the_site_is_built_without_warnings", "installs into .venv first"),
    "make docs": Elsewhere(f"{_HERE}test_make_calls_the_script", "installs into .venv first"),
    "make app": Elsewhere(f"{_HERE}test_make_calls_the_script", "installs into .venv first"),
    "python run.py app": Elsewhere(_APP, "serves until it is stopped"),
    "python run.py app shot.mov plate.mov": Elsewhere(_APP, "serves until it is stopped"),
    "python -m howard.app": Elsewhere(
        "tests/app/ui/test_app_server.py::test_the_page_is_served_only_with_the_cookie", "serves until it is stopped"
    ),
    "source .venv/bin/activate": Elsewhere(
        "tests/test_run.py::test_first_run_creates_and_installs_and_the_second_does_not", "a script of venv's"
    ),
    "pip install .": Elsewhere("tests/test_wheel.py::test_the_wheel_renders_without_the_repository", "as a wheel"),
    **{
        f"pip install {packages}": Elsewhere(f"{_HERE}test_packages_are_extras_and_in_the_lock", "downloads packages")
        for packages in _PACKAGES
    },
}
