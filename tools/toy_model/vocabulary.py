"""The toy model's tokenizer: byte-level BPE of its tasks' words, each digit a token of its own."""

from __future__ import annotations

from collections.abc import Iterable

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from tools.case_reader.vocabulary import PAD, ROLES
from tools.toy_model.manners import END

SIZE = 1536
"""Tokens in all: marks, 256 bytes and merges."""


def build(texts: Iterable[str]) -> Tokenizer:
    """Train the tokenizer on texts of the tasks; any other text is reached by its bytes."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=SIZE,
        special_tokens=[PAD, END, *(f"<|{role}|>" for role in ROLES)],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def twins(tokenizer: Tokenizer) -> list[tuple[int, int]]:
    """Pairs of tokens that are the same word, without and with a space before it."""
    known = tokenizer.get_vocab()
    pairs = [(known[word], known[f"Ġ{word}"]) for word in known if f"Ġ{word}" in known]
    return sorted(pairs)
