"""Random numbers of a sample: a function of the seed, the prompt's key and the sample's index."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

Key = tuple[str, int, int]


def uniforms(seed: int, key: Key, index: int, count: int) -> NDArray[np.float64]:
    """`count` uniform numbers in [0, 1), one for each position of one completion.

    A counter-based generator (Philox) keyed by a hash: a sample draws the same numbers whichever
    batch it is in, and asking for more leaves the first ones as they are.
    """
    stream, step, row = key
    name = f"{seed}|{stream}|{step}|{row}|{index}".encode()
    digest = blake2b(name, digest_size=16).digest()
    generator = np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "little")))
    return generator.random(count)


def table(seed: int, keys: Sequence[Key], samples: int, count: int) -> NDArray[np.float64]:
    """The numbers of `samples` completions of each prompt; shape [prompts × samples, count]."""
    out = np.empty((len(keys) * samples, count))
    for i, key in enumerate(keys):
        for index in range(samples):
            out[i * samples + index] = uniforms(seed, key, index, count)
    return out
