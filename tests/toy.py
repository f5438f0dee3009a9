"""Tiny models and tokenizers made on the spot, for tests that need a real folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

Family = Literal["llama", "qwen2", "qwen3", "mistral", "gpt2"]

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
_TEXTS = [
    "signs present and signs absent of a case with seizures, ataxia and muscle weakness",
    '{"reasoning": "seizures fit best", "genes": ["SCN1A", "KCNQ2", "FBN1", "TTN"]}',
    "which gene is the cause? list the genes, the most likely first.",
    "the quick brown fox jumps over the lazy dog 0123456789",
]


def make_toy_tokenizer(folder: Path, *, chat_template: bool = True) -> Any:
    """Train a byte-level BPE tokenizer on a few lines and save it in transformers' format."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=["<|pad|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_TEXTS * 4, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|end|>", pad_token="<|pad|>"
    )
    if chat_template:
        fast.chat_template = CHAT_TEMPLATE
    folder.mkdir(parents=True, exist_ok=True)
    fast.save_pretrained(folder)
    return fast


def toy_config(family: Family, vocabulary: int, **changes: Any) -> Any:
    """A two-layer configuration of a family, small enough for a test."""
    from transformers import GPT2Config, LlamaConfig, MistralConfig, Qwen2Config, Qwen3Config

    if family == "gpt2":
        return GPT2Config(
            vocab_size=vocabulary, n_embd=64, n_layer=2, n_head=4, n_positions=512,
            bos_token_id=1, eos_token_id=1, pad_token_id=0, **changes,
        )  # fmt: skip
    known = {
        "llama": LlamaConfig, "qwen2": Qwen2Config, "qwen3": Qwen3Config, "mistral": MistralConfig,
    }  # fmt: skip
    settings: dict[str, Any] = {
        "vocab_size": vocabulary,
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 512,
        "tie_word_embeddings": True,
        "bos_token_id": None,
        "eos_token_id": 1,
        "pad_token_id": 0,
    }
    if family == "qwen3":
        settings["head_dim"] = 24  # not hidden_size / heads, as in the released models
    if family == "mistral":
        settings["sliding_window"] = None
    return known[family](**{**settings, **changes})


def make_toy_model(
    folder: Path, family: Family = "llama", *, seed: int = 0, **changes: Any
) -> Path:
    """Write a random-weight model with tokenizer and chat template; gives the folder back.

    Weights are drawn wider than a fresh initialisation, so that its distributions are neither
    flat nor one-hot and a wrong term anywhere moves the logits.
    """
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    tokenizer = make_toy_tokenizer(folder)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        config = toy_config(family, len(tokenizer), **changes)
        model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
        for name, parameter in model.named_parameters():
            if parameter.ndim > 1:
                torch.nn.init.normal_(parameter, std=0.09)
            elif name.endswith("bias"):
                torch.nn.init.normal_(parameter, std=0.2)
            else:
                torch.nn.init.normal_(parameter, mean=1.0, std=0.1)
    model.save_pretrained(folder)
    text = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert text["vocab_size"] == len(tokenizer)
    return folder
