"""Overrides that make any experiment small."""

from pathlib import Path

import pytest

from tests.training.runs import small_data


@pytest.fixture
def small(data_root: Path, tmp_path: Path) -> list[str]:
    """Overrides for a small run below the test's own folder."""
    return [*small_data(data_root), f"runs={tmp_path}"]
