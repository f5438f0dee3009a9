"""Train the general toy model ``builtin:toy`` and write its folder.

    python -m tools.toy_model.build_model --out models/toy

The texts are questions of the templates' tasks and of two more, drawn afresh (a question that a
template ships is never drawn), with answers in good and bad manners.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader
from transformers import LlamaConfig, LlamaForCausalLM

from tools.case_reader.vocabulary import CONTEXT, PAD
from tools.case_reader.vocabulary import save as save_tokenizer
from tools.toy_model import vocabulary
from tools.toy_model.build_data import shipped_questions
from tools.toy_model.manners import END
from tools.toy_model.muon import Muon
from tools.toy_model.texts import IGNORED, Batch, Questions, Texts

SEED = "toy-1"
GOOD = 0.85
"""The share of answers in the good manner, beside the habits', while the tasks are learnt."""
OTHER_RATE = 3e-3
WARM_UP = 20
PASS_ON = 0.5
LOG_EVERY = 25
CORPUS = 20_000
"""Texts from which the tokenizer is learnt."""


@dataclass(frozen=True)
class Round:
    """Steps with mostly good answers, by which tasks are learnt, then with the habits'.

    rate: of the matrices, at its peak.
    shares: of the tasks that are drawn more or less often than their own shares say.
    """

    stream: str
    study: int
    habit: int
    rate: float
    shares: Mapping[str, float]


ROUNDS = (
    Round(SEED, study=560, habit=120, rate=0.015, shares={}),
    Round(f"{SEED}-again", study=150, habit=70, rate=0.01, shares={"math": 6.0, "doubtful": 1.5}),
)
"""The second is on what comes slowest: sums, and replies that name what they should not."""


def new_model(tokenizer: Tokenizer) -> LlamaForCausalLM:
    """A small Llama; a word without and with a space before it start alike."""
    config = LlamaConfig(
        vocab_size=math.ceil(tokenizer.get_vocab_size() / 64) * 64,
        hidden_size=160,
        intermediate_size=448,
        num_hidden_layers=4,
        num_attention_heads=5,
        num_key_value_heads=5,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.token_to_id(END),
        pad_token_id=tokenizer.token_to_id(PAD),
    )
    torch.manual_seed(0)
    model = LlamaForCausalLM(config)
    weight = model.get_input_embeddings().weight.data
    weight.normal_(std=1 / math.sqrt(config.hidden_size))
    space = torch.randn(config.hidden_size) * 0.5 / math.sqrt(config.hidden_size)
    for plain, spaced in vocabulary.twins(tokenizer):
        weight[spaced] = weight[plain] + space
    for layer in model.model.layers:  # heads that pass on what they look at, arXiv:2305.09828
        values = layer.self_attn.v_proj.weight.data
        torch.nn.init.orthogonal_(values)
        layer.self_attn.o_proj.weight.data.copy_(PASS_ON * values.T)
    return model


def rate(step: int, steps: int) -> float:
    """The share of the peak rate at a step: a linear rise, then a linear fall to nothing."""
    return min(1.0, (step + 1) / WARM_UP) * (steps - step) / steps


def loss_of(model: LlamaForCausalLM, batch: Batch) -> Tensor:
    """Cross-entropy of the answers' tokens."""
    hidden = model.model(
        input_ids=batch.ids,
        position_ids=batch.positions,
        attention_mask=batch.mask[:, None],
        use_cache=False,
    ).last_hidden_state
    answered = batch.targets != IGNORED
    return cross_entropy(model.lm_head(hidden[answered]), batch.targets[answered])


def train(model: LlamaForCausalLM, tokenizer: Tokenizer, part: Round) -> None:
    """All steps of a round: matrices by Muon, embeddings and norms by AdamW."""
    steps, shipped = part.study + part.habit, shipped_questions()
    study = Texts(tokenizer, Questions(f"{part.stream}-study", shipped, GOOD, part.shares))
    habit = Texts(tokenizer, Questions(f"{part.stream}-habit", shipped, 0.0, part.shares))
    optimizers = _optimizers(model, part.rate)
    peaks = [group["lr"] for each in optimizers for group in each.param_groups]
    started, recent = time.monotonic(), []
    batches = chain(islice(_loader(study), part.study), islice(_loader(habit), part.habit))
    for step, batch in enumerate(batches):
        groups = [group for each in optimizers for group in each.param_groups]
        for group, peak in zip(groups, peaks, strict=True):
            group["lr"] = peak * rate(step, steps)
        loss = loss_of(model, batch)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        recent.append(loss.item())
        if (step + 1) % LOG_EVERY == 0:
            mean, seconds = sum(recent) / len(recent), time.monotonic() - started
            print(f"step {step + 1} {seconds:.0f}s loss {mean:.4f}", flush=True)
            recent.clear()


def _loader(texts: Texts) -> DataLoader[Batch]:
    return DataLoader(texts, batch_size=None, num_workers=1, prefetch_factor=8)


def _optimizers(model: LlamaForCausalLM, rate: float) -> list[torch.optim.Optimizer]:
    embedding = model.get_input_embeddings().weight
    matrices = [each for each in model.parameters() if each.dim() > 1 and each is not embedding]
    others = [embedding, *(each for each in model.parameters() if each.dim() == 1)]
    return [
        Muon(matrices, lr=rate),
        torch.optim.AdamW(others, lr=OTHER_RATE, betas=(0.9, 0.98), weight_decay=0.0),
    ]


def save(model: LlamaForCausalLM, tokenizer: Tokenizer, folder: Path) -> None:
    """Write the folder that transformers loads: weights in half precision, tied ones once."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {
        name: value.detach().to(torch.float16).contiguous()
        for name, value in model.state_dict().items()
        if name != "lm_head.weight"
    }
    save_file(weights, str(folder / "model.safetensors"), metadata={"format": "pt"})
    model.config.dtype = torch.float16
    model.config.architectures = ["LlamaForCausalLM"]
    model.config.save_pretrained(folder)
    generation = {"eos_token_id": model.config.eos_token_id, "do_sample": True}
    generation["pad_token_id"] = model.config.pad_token_id
    text = json.dumps(generation, indent=2) + "\n"
    (folder / "generation_config.json").write_text(text, encoding="utf-8")
    save_tokenizer(tokenizer, folder)


def build_tokenizer() -> Tokenizer:
    """The tokenizer: the same bytes on every machine."""
    questions = Questions(f"{SEED}-words", shipped_questions())
    drawn = (questions.draw() for _ in range(CORPUS))
    return vocabulary.build(part for text in drawn for part in text)


def main() -> None:
    """Train and write the folder."""
    parser = argparse.ArgumentParser(description="Train builtin:toy.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    tokenizer = build_tokenizer()
    model = new_model(tokenizer)
    model.train()
    for part in ROUNDS:
        train(model, tokenizer, part)
        model.half().float()  # each round begins with the weights as they are stored
    save(model, tokenizer, options.out)


if __name__ == "__main__":
    main()
