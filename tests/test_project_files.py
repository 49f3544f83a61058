"""The files around the code can be parsed, and name the versions that pyproject.toml and requirements.lock have."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

import howard

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TEMPLATES = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))


def read_yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_the_citation_is_of_this_version() -> None:
    citation = read_yaml(ROOT / "CITATION.cff")
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert citation["version"] == PROJECT["version"] == howard.__version__
    assert " AND ".join(citation["license"]) == PROJECT["license"]
    assert {paper["year"] for paper in citation["references"]} == {2021}


def test_the_changelog_has_this_version() -> None:
    versions = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert versions[0] == "Unreleased"
    assert versions[1] == PROJECT["version"]
    assert len(versions) == len(set(versions))


def test_hooks_are_pinned_and_ruff_is_that_of_the_lock() -> None:
    locked = re.search(r"^ruff==(.+)$", (ROOT / "requirements.lock").read_text(encoding="utf-8"), re.MULTILINE)
    repositories = read_yaml(ROOT / ".pre-commit-config.yaml")["repos"]
    revisions = {each["repo"].rpartition("/")[2]: each["rev"] for each in repositories}
    assert locked is not None
    assert revisions["ruff-pre-commit"] == f"v{locked[1]}"
    assert all(re.fullmatch(r"v?\d+\.\d+\.\d+", revision) for revision in revisions.values())
    assert {hook["id"] for each in repositories for hook in each["hooks"]} == {
        "ruff-check",
        "ruff-format",
        "nbstripout",
    }


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_use_pinned_actions_and_verbs_of_the_script(path: Path) -> None:
    verbs = set(
        re.findall(r"^  (\w+) .*", (ROOT / "run.py").read_text(encoding="utf-8").split("USAGE")[1], re.MULTILINE)
    )
    for job in read_yaml(path)["jobs"].values():
        for step in job["steps"]:
            assert re.fullmatch(r"[\w.-]+/[\w.-]+@v\d+", step.get("uses", "any/action@v1"))
            if "run" in step:
                assert step["run"].removeprefix("python run.py ") in verbs
            python = step.get("with", {}).get("python-version", "3.11")
            assert f">={python}" == PROJECT["requires-python"]


def test_the_quick_tests_run_on_three_systems() -> None:
    jobs = read_yaml(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]
    systems = {name.partition("-")[0] for name in jobs["test"]["strategy"]["matrix"]["os"]}
    assert systems == {"ubuntu", "windows", "macos"}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_issue_forms_have_a_name_and_distinct_fields(path: Path) -> None:
    form = read_yaml(path)
    assert form["name"]
    assert form["description"]
    fields = [field["id"] for field in form["body"] if field["type"] != "markdown"]
    assert fields
    assert len(fields) == len(set(fields))
