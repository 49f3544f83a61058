"""Projects in a folder of the test's own, and the small clips of the pipeline's tests."""

import pytest

from howard.app.core.project import Project
from tests.pipeline.conftest import clips, key, nobody_found

__all__ = ["clips", "key", "nobody_found"]


@pytest.fixture(autouse=True)
def own_config(tmp_path, monkeypatch):
    """Recent projects of whoever runs the tests stay as they are."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def project(tmp_path):
    return Project.open(tmp_path / "film.howard.json")


@pytest.fixture
def pair(project, clips):
    return project.add_pair(clips.shot, clips.plate)
