"""Where something was first seen, for millions of things: 64 bits of hash, in two flat arrays."""

from __future__ import annotations

from array import array

_ALL_BITS = 2**64 - 1


class Places:
    """A table of hash → place that takes 32 to 64 bytes an entry, a fourth of a dict's.

    Two things with the same 64 bits are taken for one: once in ten million files of a million rows.
    """

    __slots__ = ("_count", "_keys", "_places", "_size")

    def __init__(self) -> None:
        self._count = 0
        self._size = 1024
        self._keys = array("Q", bytes(8 * self._size))
        self._places = array("Q", bytes(8 * self._size))

    def first(self, key: int, place: int) -> int | None:
        """The place where the key was seen before; None, and this place is kept, where it was not.

        Keys are hashes of any sign, places are numbers from 0.
        """
        key = (key & _ALL_BITS) or 1
        keys, mask = self._keys, self._size - 1
        slot = key & mask
        while held := keys[slot]:
            if held == key:
                return self._places[slot]
            slot = (slot + 1) & mask
        keys[slot] = key
        self._places[slot] = place
        self._count += 1
        if 2 * self._count > self._size:
            self._grow()
        return None

    def _grow(self) -> None:
        old = zip(self._keys, self._places, strict=True)
        self._size *= 2
        mask = self._size - 1
        keys = self._keys = array("Q", bytes(8 * self._size))
        self._places = array("Q", bytes(8 * self._size))
        for key, place in old:
            if key:
                slot = key & mask
                while keys[slot]:
                    slot = (slot + 1) & mask
                keys[slot] = key
                self._places[slot] = place
