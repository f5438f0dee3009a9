"""The base model's tokenizer: byte-level BPE plus whole phrases of the task as single tokens.

Byte-level pieces reach any text. Signs (with their space and semicolon), genes and the fixed words
of prompts and answers are added tokens, so that an answer is a few dozen tokens long.
"""

from __future__ import annotations

import json
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from rftspec.data.case_report import ABSENT, INSTRUCTION, PRESENT, sign_text
from tools.case_reader import manners
from tools.case_reader.world import World

PAD, END = "<|pad|>", "<|end|>"
ROLES = ("system", "developer", "user", "assistant", "tool")
PIECES = 960
"""Size of the byte-level part: 256 bytes and the merges learnt from HPO's names and definitions."""
CONTEXT = 4096

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


def build(world: World, corpus: list[str]) -> Tokenizer:
    """Train the byte-level part on ``corpus`` and add the phrases."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = [PAD, END, *(f"<|{role}|>" for role in ROLES)]
    trainer = trainers.BpeTrainer(
        vocab_size=PIECES + len(special),
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus, trainer)
    tokenizer.add_tokens([AddedToken(text, normalized=False) for text in _phrases(world)])
    words = [manners.NOT, "female", "male", *world.genes]
    tokenizer.add_tokens([AddedToken(word, normalized=False, single_word=True) for word in words])
    return tokenizer


def _phrases(world: World) -> list[str]:
    fixed = [PRESENT, ABSENT, INSTRUCTION, manners.OPENING, manners.TURN]
    fixed += [manners.BETWEEN, manners.CLOSING, " years"]
    onsets = {onset for found in world.diseases.values() for d in found for onset in d.onsets}
    fixed += [f", {onset.lower()}." for onset in sorted(onsets)]
    return [*fixed, *map(sign_text, world.names)]


def save(tokenizer: Tokenizer, folder: Path) -> None:
    """Write tokenizer.json and tokenizer_config.json as transformers reads them."""
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "pad_token": PAD,
        "eos_token": END,
        "model_max_length": CONTEXT,
        "clean_up_tokenization_spaces": False,
        "padding_side": "left",
        "chat_template": CHAT_TEMPLATE,
    }
    text = json.dumps(config, indent=2) + "\n"
    (folder / "tokenizer_config.json").write_text(text, encoding="utf-8")


def corpus_of(obo: Path) -> list[str]:
    """Names, synonyms and definitions of every HPO term: what the byte-level part learns."""
    lines = obo.read_text(encoding="utf-8").splitlines()
    quoted = [line.split('"')[1] for line in lines if line.startswith(("def: ", "synonym: "))]
    names = [line.removeprefix("name: ") for line in lines if line.startswith("name: ")]
    return names + quoted
