"""The JSON Schema and the loader agree on generated and on spoiled specs.

`python bench/fuzz_spec.py` does the same for as long as one likes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.spec.agreement import check_agreement, complete_spec, validator
from tests.spec.generate import specs, spoil
from tests.spec.samples import copy_sample

WIDE = settings(
    max_examples=250, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that generated specs name."""
    folder = tmp_path_factory.mktemp("generated")
    copy_sample(folder)
    return folder


def test_the_complete_spec_is_accepted_by_both(folder: Path) -> None:
    assert check_agreement(complete_spec(), folder) == "accepted"
    assert validator().is_valid(complete_spec())


@WIDE
@given(spec=specs())
def test_what_the_schema_allows_is_loaded_or_explained(folder: Path, spec: Any) -> None:
    assert validator().is_valid(spec), next(validator().iter_errors(spec)).message
    check_agreement(spec, folder)


@WIDE
@given(data=st.data())
def test_what_the_loader_accepts_the_schema_allows(folder: Path, data: st.DataObject) -> None:
    check_agreement(spoil(data.draw, complete_spec(), data.draw(st.integers(1, 3))), folder)
