"""A token budget: what may still be asked, decided in the order of the questions."""

from __future__ import annotations

import asyncio


class Budget:
    """Admits questions while what was spent and what is being asked stay within a limit.

    A question takes an estimate when it begins and gives back what it did not use. One that does
    not fit waits until the questions before it have ended, and is refused only if it then still
    does not fit: who is refused depends on the order of the questions and on what each cost, not
    on which answer came first.
    """

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self.spent = 0
        self._held = 0
        self._turn = asyncio.Lock()
        self._settled = asyncio.Event()

    async def admit(self, estimate: int) -> bool:
        """Hold an estimate; False when the budget has no room for it."""
        if self.limit is None:
            return True
        async with self._turn:
            while self.spent + self._held + estimate > self.limit:
                if self._held == 0:
                    return False
                self._settled.clear()
                await self._settled.wait()
            self._held += estimate
            return True

    def settle(self, estimate: int, used: int) -> None:
        """Replace what `admit` held by what was used."""
        if self.limit is not None:
            self._held -= estimate
            self.spent += used
            self._settled.set()
