"""Prompts of validation and test rows that nearly stand among the training rows.

The runs of five words of the held-out prompts are indexed; the training rows are streamed past
them. Memory grows with the held-out rows only, and not beyond half a million runs.

A prompt is compared by the runs that make it its own: those that at most two held-out rows have.
Instructions and forms stand in many rows and say nothing. Runs of five words and a share of 80 %
are those of Lee et al. 2022 (arXiv:2107.06499), who rid text corpora of near-duplicates by them.
A prompt with few runs is compared as a whole, and only where no `disjoint` field keeps rows apart:
two short prompts may well be equal and mean different things.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import chain

RUN = 5
"""Words in a run."""
SHARE = 0.8
"""Of a prompt's own runs, in one training prompt: a near-duplicate."""
MOST_ROWS = 2
"""Held-out rows that may have a run for it to be their own."""
FEWEST = 8
"""Own runs below which a share says too little."""
MAX_RUNS = 500_000
"""Runs that are indexed, about 100 MB; held-out rows beyond them are not compared."""
_SHIFT = 32
Match = tuple[float, int]
"""The share of the runs, and the training line that has them."""


class NearPrompts:
    """An index of held-out prompts: `learn` them, `close`, `compare` training rows, `match`."""

    def __init__(self, *, whole: bool) -> None:
        self._compares_whole = whole
        self._runs: dict[int, int] = {}
        """Hash of a run → its row, or two rows: the second one's number + 1, shifted."""
        self._counts: Counter[int] = Counter()
        """Hash of a run → how many rows have it, until the index is closed, as the next two."""
        self._learnt: list[frozenset[int]] = []
        self._ends: dict[int, int] = {}
        """Hash of a run → hash of its first and last word."""
        self._end_set: set[int] = set()
        self._whole: dict[int, list[int]] = {}
        """Hash of a whole prompt → the rows that have it."""
        self._own: list[int] = []
        """How many runs of its own each row has."""
        self._best: dict[int, Match] = {}
        self._tally: dict[int, int] = {}
        """How many training rows matched a row."""
        self._compared = 0

    def learn(self, text: str) -> int:
        """Index a held-out prompt; its number, which counts from 0."""
        row = len(self._own)
        self._own.append(0)
        words = _words(text)
        if words and self._compares_whole:
            self._whole.setdefault(hash(tuple(words)), []).append(row)
        runs: frozenset[int] = frozenset()
        if len(self._counts) < MAX_RUNS:
            hashes = list(_hashes(words))
            ends = map(hash, zip(words, words[RUN - 1 :], strict=False))
            self._ends.update(zip(hashes, ends, strict=True))
            runs = frozenset(hashes)
            self._counts.update(runs)
        self._learnt.append(runs)
        return row

    def close(self) -> None:
        """All held-out prompts are known: leave out the runs that many have."""
        many = {run for run, count in self._counts.items() if count > MOST_ROWS}
        for row, runs in enumerate(self._learnt):
            own = runs - many
            self._own[row] = len(own)
            shared = own & self._runs.keys()
            self._runs.update(dict.fromkeys(own - shared, row))
            for run in shared:
                self._runs[run] |= (row + 1) << _SHIFT
        self._end_set = set(map(self._ends.__getitem__, self._runs))
        self._counts, self._learnt, self._ends = Counter(), [], {}

    def compare(self, text: str, line: int) -> None:
        """Hold a training prompt against the index."""
        self.skip()
        for row, share in self.near_rows(text):
            self._note(row, share, line)

    def skip(self) -> None:
        """Count a training prompt that is known to be near to none."""
        self._compared += 1

    def near_rows(self, text: str) -> list[tuple[int, float]]:
        """The held-out rows that a prompt is near to, and the share of their own runs in it."""
        words = _words(text)
        near = []
        if self._whole:
            near = [(row, 1.0) for row in self._whole.get(hash(tuple(words)), ())]
        # The first and last word of every fifth run are enough to see that no own run is here:
        # what makes a prompt its own spans five runs that begin one after the other.
        ends = zip(words[::RUN], words[RUN - 1 :: RUN], strict=False)
        last = tuple(words[-RUN :: RUN - 1])
        if self._end_set.isdisjoint(map(hash, chain(ends, [last]))):
            return near
        whole = chain(zip(*[iter(words)] * RUN, strict=False), [tuple(words[-RUN:])])
        if self._runs.keys().isdisjoint(map(hash, whole)):
            return near
        counts: dict[int, int] = {}
        # Not `keys & runs`, which walks through the whole index.
        for run in filter(self._runs.__contains__, set(_hashes(words))):
            for row in _rows(self._runs[run]):
                counts[row] = counts.get(row, 0) + 1
        own = self._own
        return near + [
            (row, count / own[row])
            for row, count in counts.items()
            if count >= SHARE * own[row] and own[row] >= FEWEST
        ]

    def match(self, row: int) -> Match | None:
        """The nearest training prompt, where one is near and few are.

        A prompt that is near to more than one in fifty is a form that all rows fill in.
        """
        if self._tally.get(row, 0) > max(3, self._compared // 50):
            return None
        return self._best.get(row)

    def _note(self, row: int, share: float, line: int) -> None:
        best = self._best.get(row)
        if best is None or best[0] < share:
            self._best[row] = (share, line)
        if best is None or best[1] != line:
            self._tally[row] = self._tally.get(row, 0) + 1


def _rows(held: int) -> tuple[int, ...]:
    second = held >> _SHIFT
    return (held & (2**_SHIFT - 1), second - 1) if second else (held,)


def _words(text: str) -> list[str]:
    """Words in small letters; single characters where a script has no spaces."""
    words = text.casefold().split()
    if len(text) > 12 * len(words) and not text.isascii():
        return list("".join(words))
    return words


def _hashes(words: list[str]) -> Iterable[int]:
    return map(hash, zip(words, words[1:], words[2:], words[3:], words[4:], strict=False))
