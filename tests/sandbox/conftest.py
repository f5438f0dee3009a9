"""Pools that the tests of the sandbox share: starting a worker costs a tenth of a second."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rftspec.sandbox.pool import Pool

TIMEOUT_S = 0.5


@pytest.fixture(scope="session")
def pool() -> Iterator[Pool]:
    with Pool(timeout_s=TIMEOUT_S) as made:
        yield made
