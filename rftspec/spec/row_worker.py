"""A process that looks at training rows and gives the marks of those that are in order.

It is told what to look for, then given blocks of rows; for each row it answers with its marks, or
with nothing: then the one who asked looks for himself, and says what is wrong.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Sequence
from typing import Any

from rftspec.data.form import Form, form_of
from rftspec.data.messages import prompt_text
from rftspec.data.row import RowError
from rftspec.data.strict_json import fast_parser
from rftspec.spec.near import NearPrompts
from rftspec.spec.row_marks import Marking, Marks

MAX_FORMS = 10_000


class Looker:
    """Looks at one row after the other."""

    def __init__(self, marking: Marking, held_out: Sequence[str], *, whole: bool) -> None:
        self._marking = marking
        self._near = NearPrompts(whole=whole) if held_out else None
        for text in held_out:
            if self._near is not None:
                self._near.learn(text)
        if self._near is not None:
            self._near.close()
        self._forms: set[Form] = set()
        self._parse = fast_parser()

    def look(self, raw: bytes) -> Marks | None:
        """The marks of a row; None for one that somebody else should look at."""
        try:
            item = self._parse(raw)
            text = prompt_text(item, self._marking.prompt)
        except RowError:
            return None
        form = form_of(item)
        if form not in self._forms:
            if len(self._forms) >= MAX_FORMS:
                self._forms.clear()
            self._forms.add(form)
            return None
        if self._near is not None and self._near.near_rows(text):
            return None
        return self._marking.marks(item, text)


def serve(requests: Any, replies: Any) -> None:
    """Answer blocks of rows until there are no more."""
    looker = Looker(**pickle.load(requests))
    while True:
        try:
            block = pickle.load(requests)
        except EOFError:
            return
        pickle.dump([looker.look(raw) for raw in block], replies, pickle.HIGHEST_PROTOCOL)
        replies.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
