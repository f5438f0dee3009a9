"""Random specs against schema and loader, for as long as one likes.

    python bench/fuzz_spec.py                     2,000 of each kind
    python bench/fuzz_spec.py --examples 20000 --seed 7

Half of the specs are made by walking the JSON Schema, half are a valid spec with a few things
spoiled. Each is loaded: it must be accepted, or refused by diagnostics that have a place, within a
second; and what is accepted, the schema must allow. Prints how often each code was met, and exits
with 1 at the first document about which schema and loader disagree.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.spec.agreement import check_agreement, complete_spec
from tests.spec.generate import specs, spoil
from tests.spec.samples import copy_sample


def main() -> int:
    """Generate, load, count."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    wanted = parser.parse_args()
    met: Counter[str] = Counter()
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        copy_sample(Path(name))
        fuzz(Path(name), met, wanted.examples, wanted.seed)
    for code, times in met.most_common():
        print(f"{times:8,}  {code}")
    total = met.total()
    print(f"{total:,} specs in {time.perf_counter() - started:.0f} s: schema and loader agree")
    return 0


def fuzz(folder: Path, met: Counter[str], examples: int, start: int) -> None:
    """Both kinds of specs; a disagreement is raised with the shortest spec that shows it."""
    how = settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )

    @how
    @seed(start)
    @given(spec=specs())
    def walked(spec: Any) -> None:
        met[check_agreement(spec, folder)] += 1

    @how
    @seed(start)
    @given(data=st.data())
    def spoiled(data: st.DataObject) -> None:
        spec = spoil(data.draw, complete_spec(), data.draw(st.integers(1, 3)))
        met[check_agreement(spec, folder)] += 1

    walked()
    spoiled()


if __name__ == "__main__":
    sys.exit(main())
