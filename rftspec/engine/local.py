"""LocalEngine: one process, one set of weights, sampled from and trained."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch

from rftspec.engine import adapter, checkpoint, noise
from rftspec.engine.lean import Decoder, why_not_lean
from rftspec.engine.learner import Learner, Scored, Scorer
from rftspec.engine.load import choose_device, load_model, load_tokenizer, locate, stop_tokens
from rftspec.engine.loss import token_logprobs
from rftspec.engine.packed import completion_hidden
from rftspec.engine.packing import Work, pack, token_facts
from rftspec.engine.plain import PlainSampler, PlainScorer
from rftspec.engine.problems import problem
from rftspec.engine.quantize import hold_exact_copy, quantize_nf4
from rftspec.engine.sampler import LeanSampler, Sampled, Sampling
from rftspec.engine.types import Completion, Group, OnGroup, Prompt
from rftspec.plan.model import Plan

_CPU_KV_BYTES = 1 << 30
_CPU_TOKENS = 2048
_CUDA_TOKENS = 16384
_PLAIN_TOKENS = 4096


class LeanScorer:
    """Log-probabilities through the lean decoder, prompts shared and rows packed."""

    def __init__(self, decoder: Decoder, temperature: float) -> None:
        self.decoder = decoder
        self.temperature = temperature if temperature > 0 else 1.0

    def score(self, batch: Sequence[Work], *, tuned: bool, entropy: bool = False) -> Scored:
        """Log-probabilities of every completion token of a micro-batch."""
        packed = pack(batch, self.decoder.device)
        hidden = completion_hidden(self.decoder, packed, tuned=tuned)
        logprobs, entropies = token_logprobs(
            hidden, self.decoder.head, packed.targets_C, self.temperature, entropy=entropy
        )
        return Scored(logprobs, entropies, token_facts(batch, self.decoder.device))


class LocalEngine:
    """The engine of a run on this machine; opened from a plan."""

    def __init__(self, plan: Plan, wrapped: Any, tokenizer: Any, device: torch.device) -> None:
        self.plan, self.wrapped, self.tokenizer, self.device = plan, wrapped, tokenizer, device
        self.stop = stop_tokens(wrapped.get_base_model(), tokenizer)
        self.slow_because = why_not_lean(wrapped)
        self.sampler: LeanSampler | PlainSampler
        scorer: Scorer
        if self.slow_because is None:
            decoder = Decoder(wrapped)
            self.sampler = LeanSampler(decoder, kv_budget_bytes=_kv_budget(device))
            scorer = LeanScorer(decoder, plan.response.temperature)
            budget = _CPU_TOKENS if device.type == "cpu" else _CUDA_TOKENS
        else:
            self.sampler = PlainSampler(wrapped)
            scorer = PlainScorer(wrapped, plan.response.temperature or 1.0)
            budget = _PLAIN_TOKENS
        self.learner = Learner(
            scorer,
            [p for _, p in adapter.parameters(wrapped)],
            plan.train,
            max_tokens=plan.response.max_tokens,
            token_budget=budget,
            compute=wrapped.get_base_model().dtype,
        )

    @classmethod
    def open(cls, plan: Plan) -> LocalEngine:
        """Load the base, quantise it, attach the adapter; DiagnosticError (M2xx) if it cannot."""
        model, tokenizer, place, device = load_base(plan)
        wrapped = adapter.attach(model, plan.model, seed=plan.seed, place=place)
        return cls(plan, wrapped, tokenizer, device)

    def describe(self) -> dict[str, str]:
        """What was opened and how it computes, for the record and the terminal."""
        from importlib.metadata import version

        trained = sum(p.numel() for _, p in adapter.parameters(self.wrapped))
        total = sum(p.numel() for p in self.wrapped.get_base_model().parameters()) - trained
        lean = "lean (fused projections, shared prompts, rows leave as they end)"
        plain = f"transformers' own module, because {self.slow_because}"
        name = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else "cpu"
        return {
            "base": self.wrapped.peft_config["default"].base_model_name_or_path,
            "device": name,
            "threads": str(torch.get_num_threads()),
            "quantization": self.plan.model.quantization,
            "compute": str(self.wrapped.get_base_model().dtype).removeprefix("torch."),
            "parameters": str(total),
            "trained_parameters": str(trained),
            "path": lean if self.slow_because is None else plain,
            **{f"{p}": version(p) for p in ("torch", "transformers", "peft", "bitsandbytes")},
        }

    @property
    def context(self) -> int | None:
        """Most tokens of prompt and answer together; None where the model states no limit."""
        found = getattr(self.wrapped.get_base_model().config, "max_position_embeddings", None)
        return found if isinstance(found, int) else None

    def peak_memory(self) -> int | None:
        """Most bytes that torch has held on the card so far; None on a CPU."""
        if self.device.type != "cuda":
            return None
        return torch.cuda.max_memory_reserved(self.device)

    def encode(self, item_messages: Sequence[Mapping[str, object]]) -> tuple[int, ...]:
        """A row's messages through the chat template, with the generation prompt (M214)."""
        messages = [{"role": m["role"], "content": m["content"]} for m in item_messages]
        try:
            tokens = self.tokenizer.apply_chat_template(
                messages, add_generation_prompt=True, tokenize=True, return_dict=False
            )
        except Exception as error:
            raise problem("M214", f"the chat template refused a row: {error}") from error
        return tuple(int(t) for t in tokens)

    def sample(
        self,
        prompts: Sequence[Prompt],
        *,
        samples: int,
        temperature: float,
        max_tokens: int,
        policy: Literal["base", "tuned"],
        on_finished: Callable[[int], None] | None = None,
        on_group: OnGroup | None = None,
    ) -> list[list[Completion]]:
        """`samples` completions for every prompt; `base` is the model with its adapter off.

        `on_finished` is told of completions as they end, in counts, for a progress display;
        `on_group` gets a prompt's completions as soon as all of them have ended.
        """
        if not prompts:
            return []
        self._check_lengths(prompts, max_tokens)
        how = Sampling(samples, temperature, max_tokens, self.stop, policy == "tuned")
        uniform = noise.table(self.plan.seed, [p.key for p in prompts], samples, max_tokens)
        groups: dict[int, list[Completion]] = {}

        def ended(place: int, sampled: Sequence[Sampled]) -> None:
            groups[place] = self._completions(sampled)
            if on_group is not None:
                on_group(place, groups[place])

        self.sampler.sample([p.tokens for p in prompts], uniform, how, on_finished, ended)
        return [groups[place] for place in range(len(prompts))]

    def learn(self, groups: Sequence[Group], *, step: int) -> dict[str, float]:
        """One optimiser step (steps count from 1); gives the metrics of `ENGINE_METRICS`."""
        return self.learner.step(groups, step)

    def save_adapter(self, folder: Path) -> None:
        """Write the adapter in PEFT's format (adapter_config.json, adapter_model.safetensors)."""
        adapter.save(self.wrapped, folder)

    def load_adapter(self, folder: Path) -> None:
        """Put a saved adapter's weights in place; the optimiser is left alone (M212)."""
        adapter.load(self.wrapped, folder)

    def save_state(self, folder: Path) -> None:
        """Write adapter, optimiser and step: all that a resume needs."""
        checkpoint.save_state(self.wrapped, self.learner, folder)

    def load_state(self, folder: Path) -> None:
        """Read what `save_state` wrote (M212)."""
        checkpoint.load_state(self.wrapped, self.learner, folder)

    def _completions(self, sampled: Sequence[Sampled]) -> list[Completion]:
        texts = self.tokenizer.batch_decode(
            [s.tokens.tolist() for s in sampled],
            skip_special_tokens=True,
            clean_up_tokenization_spaces=False,
        )
        return [
            Completion(
                tokens=tuple(s.tokens.tolist()),
                text=text,
                finish_reason="stop" if s.stopped else "length",
                logprobs=s.logprobs,
            )
            for s, text in zip(sampled, texts, strict=True)
        ]

    def _check_lengths(self, prompts: Sequence[Prompt], max_tokens: int) -> None:
        limit = self.context
        if limit is None:
            return
        for prompt in prompts:
            if len(prompt.tokens) + max_tokens > limit:
                split, _, row = prompt.key
                raise problem(
                    "M210",
                    f"row {row} of {split} has {len(prompt.tokens)} prompt tokens: with "
                    f"{max_tokens} of the answer that is more than the model's {limit}",
                    path="response.max_tokens",
                )


def load_base(plan: Plan) -> tuple[Any, Any, str, torch.device]:
    """The base as a plan wants it, quantised and on its device: (model, tokenizer, place, device).

    Raises DiagnosticError (M2xx) where that cannot be.
    """
    # bitsandbytes warns on import that an optional kernel, which we do not use, is not there
    logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)
    device = choose_device(plan.device)
    place = locate(plan.model)
    dtype = torch.float32 if device.type == "cpu" else torch.bfloat16
    tokenizer = load_tokenizer(place, plan.model.revision)
    model = load_model(place, plan.model.revision, dtype)
    if plan.model.quantization == "nf4":
        if device.type == "cuda":
            model.to(device)
        quantize_nf4(model, dtype)
        if device.type == "cpu" or _copy_fits(model):
            hold_exact_copy(model)
    model.to(device)
    return model, tokenizer, place, device


def _kv_budget(device: torch.device) -> int:
    if device.type == "cpu":
        return _CPU_KV_BYTES
    free, _ = torch.cuda.mem_get_info(device)
    return int(free * 0.4)


def _copy_fits(model: torch.nn.Module) -> bool:
    """Whether the card has room for a 16-bit copy of what NF4 stands for, and for the work."""
    from bitsandbytes.nn import Linear4bit

    size = sum(
        2 * m.in_features * m.out_features for m in model.modules() if isinstance(m, Linear4bit)
    )
    free, _ = torch.cuda.mem_get_info()
    return bool(size < 0.4 * free)
