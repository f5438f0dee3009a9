"""Train the built-in base model ``builtin:case-reader`` and write its folder.

    python -m tools.case_reader.build_model --out models/case-reader

Two phases: *study* writes answers in every manner, so that the model learns which genes follow
from which signs; *habit* writes them as the shipped model will by habit. The texts are simulated
patients of all the world's genes, drawn afresh; a report that the data set ships is refused.
"""
# ruff: noqa: N803, N806  (tensor names carry their dimensions)

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import Tensor
from torch.utils.data import DataLoader
from transformers import LlamaConfig, LlamaForCausalLM

from rftspec.data.case_report import sign_text
from tools.case_reader import hpo as hpo_data
from tools.case_reader import vocabulary
from tools.case_reader.build_data import FOLDER
from tools.case_reader.hpo import Hpo
from tools.case_reader.manners import HASTY, STUDY, Habit
from tools.case_reader.texts import Batch, Texts
from tools.case_reader.world import World, build

SEED = 20
THREADS = 2
LOG_EVERY = 20
WARM_UP = 50
SIGN_NORM = 0.7
"""Length of the part of an embedding that starts from the associations of signs and genes."""
CODE_NORM = 0.8
"""Length of the random code that tells a sign or gene from others with the same associations."""
FINAL_GAIN = 1.5
PASS_ON = 0.5
EMBEDDING_LR = 0.25
"""The embeddings learn at this share of the rate: they start out meaningful."""
REPORTS = 32
ANSWERS = 4
"""Reports in a step, and answers to each."""


@dataclass(frozen=True)
class Phase:
    """One part of the training: what is written, for how long, at what rate.

    stream seeds the texts; the rate falls as a cosine over ``cosine`` steps, of which ``steps`` are
    taken.
    """

    stream: str
    habit: Habit
    steps: int
    cosine: int
    peak: float


PHASES = (
    Phase(f"{SEED}-study-new", STUDY, steps=1300, cosine=1300, peak=2e-3),
    Phase(f"{SEED}-habit", HASTY, steps=200, cosine=400, peak=1.2e-3),
)


def new_model(world: World, tokenizer: Tokenizer) -> LlamaForCausalLM:
    """A small Llama whose signs and genes start from a factorisation of their association."""
    config = LlamaConfig(
        vocab_size=math.ceil(tokenizer.get_vocab_size() / 64) * 64,
        hidden_size=256,
        intermediate_size=640,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=vocabulary.CONTEXT,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.token_to_id(vocabulary.END),
        pad_token_id=tokenizer.token_to_id(vocabulary.PAD),
    )
    torch.manual_seed(SEED)
    model = LlamaForCausalLM(config)
    model.model.norm.weight.data.fill_(FINAL_GAIN)
    _seed_attention(model)
    _seed_embeddings(model, world, tokenizer)
    return model


def _seed_attention(model: LlamaForCausalLM) -> None:
    """Heads that pass on what they look at (Trockman and Kolter, arXiv:2305.09828)."""
    for layer in model.model.layers:
        values = layer.self_attn.v_proj.weight.data
        torch.nn.init.orthogonal_(values)
        layer.self_attn.o_proj.weight.data.copy_(PASS_ON * values.T)


def _seed_embeddings(model: LlamaForCausalLM, world: World, tokenizer: Tokenizer) -> None:
    """Signs and genes start as their association, factorised, and a random code beside it.

    The code keeps those alike in meaning apart in name.
    """
    association = np.log(world.emission)
    association -= association.mean(axis=0)
    left, strength, right = np.linalg.svd(association, full_matrices=False)
    parts = (
        (world.genes, left * np.sqrt(strength)),
        ([sign_text(name) for name in world.names], right.T * np.sqrt(strength)),
    )
    weight = model.get_input_embeddings().weight.data
    rank = len(strength)
    for words, vectors in parts:
        ids = [tokenizer.token_to_id(word) for word in words]
        scaled = vectors * SIGN_NORM / np.linalg.norm(vectors, axis=1).mean()
        codes = torch.randn(len(ids), weight.shape[1] - rank)
        weight[ids, :rank] = torch.tensor(scaled, dtype=weight.dtype)
        weight[ids, rank:] = codes * CODE_NORM / math.sqrt(codes.shape[1])


def losses(model: LlamaForCausalLM, batch: Batch, gene_ids: Tensor) -> Tensor:
    """Cross-entropy at every target: of the token, and where a gene stands of its distribution."""
    hidden = model.model(
        input_ids=batch.ids_BT,
        position_ids=batch.positions_BT,
        attention_mask=batch.mask_BTT[:, None],
        use_cache=False,
    ).last_hidden_state
    logits_NV = model.lm_head(hidden[batch.rows_N, batch.columns_N]).float()
    logprobs_NV = logits_NV.log_softmax(-1)
    loss_N = -logprobs_NV.gather(1, batch.targets_N[:, None])[:, 0]
    gene_logprobs = logprobs_NV[batch.gene_at_M][:, gene_ids]
    gene_loss = -(batch.gene_probs_MG * gene_logprobs).sum(-1)
    mixed_N: Tensor = loss_N.index_copy(0, batch.gene_at_M, gene_loss)
    return mixed_N


def learning_rate(step: int, phase: Phase) -> float:
    """Linear warm-up, then a cosine down to a twentieth."""
    if step < WARM_UP:
        return phase.peak * (step + 1) / WARM_UP
    done = (step - WARM_UP) / (phase.cosine - WARM_UP)
    return phase.peak * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * done)))


def train(model: LlamaForCausalLM, phase: Phase, texts: Texts, *, fused: bool) -> None:
    """One phase; ``fused`` compiles the loss."""
    gene_ids = torch.tensor([texts.tokenizer.token_to_id(gene) for gene in texts.world.genes])
    loss_of: Callable[..., Tensor] = torch.compile(losses, dynamic=True) if fused else losses
    optimizer = _optimizer(model)
    started = time.monotonic()
    batches = iter(DataLoader(texts, batch_size=None, num_workers=1, prefetch_factor=8))
    for step in range(phase.steps):
        batch = next(batches)
        for group in optimizer.param_groups:
            group["lr"] = group["share"] * learning_rate(step, phase)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss_N = loss_of(model, batch, gene_ids)
        torch.autograd.backward(loss_N.mean())
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if step % LOG_EVERY == 0 or step == phase.steps - 1:
            print(_log_line(step, time.monotonic() - started, loss_N.detach(), batch), flush=True)


def _optimizer(model: LlamaForCausalLM) -> torch.optim.Optimizer:
    embedding = model.get_input_embeddings().weight
    matrices = [each for each in model.parameters() if each.dim() > 1 and each is not embedding]
    norms = [each for each in model.parameters() if each.dim() == 1]
    groups = [
        {"params": matrices, "share": 1.0, "weight_decay": 0.02},
        {"params": [embedding], "share": EMBEDDING_LR, "weight_decay": 0.0},
        {"params": norms, "share": 1.0, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, betas=(0.9, 0.98), fused=True)


def _log_line(step: int, seconds: float, loss_N: Tensor, batch: Batch) -> str:
    probs = batch.gene_probs_MG
    entropy = -(probs * probs.clamp_min(1e-12).log()).sum(-1)
    excess = (loss_N[batch.gene_at_M] - entropy).mean().item()
    words = torch.ones_like(loss_N, dtype=torch.bool)
    words[batch.gene_at_M] = False
    first = batch.gene_at_M[torch.cat([torch.tensor([True]), batch.gene_at_M.diff() > 2])]
    first_excess = (loss_N[first] - entropy[torch.isin(batch.gene_at_M, first)]).mean().item()
    return (
        f"step {step} {seconds:.0f}s loss {loss_N.mean().item():.4f} "
        f"words {loss_N[words].mean().item():.4f} genes +{excess:.4f} first +{first_excess:.4f}"
    )


def save(model: LlamaForCausalLM, world: World, tokenizer: Tokenizer, folder: Path) -> None:
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
    genes = "".join(f"{gene}\n" for gene in world.genes)
    (folder / "genes.txt").write_text(genes, encoding="utf-8")
    vocabulary.save(tokenizer, folder)


def shipped_prompts() -> frozenset[str]:
    """Prompts of every shipped row."""
    return frozenset(
        json.loads(line)["messages"][-1]["content"]
        for split in ("train", "validation", "test")
        for line in (FOLDER / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()
    )


def strange_labels(hpo: Hpo, world: World) -> list[str]:
    """Names of signs that the world does not know."""
    known = set(world.terms)
    return sorted(
        name for term, name in hpo.names.items() if hpo.is_sign(term) and term not in known
    )


def main() -> None:
    """Train both phases and write the folder."""
    parser = argparse.ArgumentParser(description="Train builtin:case-reader.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--compile", action="store_true", help="faster; needs a C++ compiler")
    options = parser.parse_args()
    torch.set_num_threads(THREADS)
    hpo = hpo_data.load()
    world = build(hpo)
    tokenizer = vocabulary.build(world, vocabulary.corpus_of(hpo_data.data_folder() / "hp.obo"))
    model = new_model(world, tokenizer)
    model.train()
    for phase in PHASES:
        texts = Texts(
            world,
            tokenizer,
            phase.habit,
            seed=phase.stream,
            reports=REPORTS,
            answers=ANSWERS,
            shipped=shipped_prompts(),
            strange=strange_labels(hpo, world),
        )
        train(model, phase, texts, fused=options.compile)
        model.half().float()  # each phase begins with the weights as they are stored
    save(model, world, tokenizer, options.out)


if __name__ == "__main__":
    main()
