"""Small runs with the fake engine and graders that need nothing."""

import pytest

from tests.run.runs import small_plan, use_fake_grading


@pytest.fixture
def plan(tmp_path, monkeypatch):
    """A plan of six steps with training, validation and test rows."""
    use_fake_grading(monkeypatch)
    return small_plan(tmp_path / "data")
