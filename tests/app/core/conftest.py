"""Fixtures: a project in a temporary folder, and the small clips of the pipeline's tests."""

import pytest

from howard.app.core.project import Project
from tests.pipeline.conftest import clips, key, nobody_found

__all__ = ["clips", "key", "nobody_found"]


@pytest.fixture(autouse=True)
def own_config(tmp_path, monkeypatch):
    """Keep the user's list of recent projects unchanged."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def project(tmp_path):
    return Project.open(tmp_path / "film.howard.json")


@pytest.fixture
def pair(project, clips):
    return project.add_pair(clips.shot, clips.plate)
