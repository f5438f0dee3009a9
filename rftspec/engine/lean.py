"""A lean view of Llama-shaped decoders: fused projections, LoRA apart, no copy of the weights.

Covers Llama, Qwen2, Qwen3 and Mistral without a sliding window. The view *is* the model's
weights: each fused matrix is the one storage, and the transformers module's own weights become
slices of it. Other architectures go through `engine.plain`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 - the field's name for it

FAMILIES = frozenset({"llama", "qwen2", "qwen3", "mistral"})
_STATIC_ROPE = frozenset({"default", "linear", "llama3", "yarn"})
_QKV = ("q_proj", "k_proj", "v_proj")
_GATE_UP = ("gate_proj", "up_proj")
_ADAPTED = frozenset({*_QKV, *_GATE_UP, "o_proj", "down_proj"})
_IS_A_OR_B = re.compile(r"\.lora_[AB]\.[^.]+\.weight$")

Lora = tuple[torch.Tensor, torch.Tensor]
"""(A [k, in], scaled block-diagonal B transposed [k, out]) of a fused projection."""


def why_not_lean(wrapped: Any) -> str | None:
    """The reason why a model cannot take the lean path, or None when it can."""
    model = wrapped.get_base_model()
    config = model.config
    if config.model_type not in FAMILIES:
        return f"its architecture is {config.model_type}"
    if getattr(config, "hidden_act", "silu") != "silu":
        return f"its activation is {config.hidden_act}"
    if _slides(config):
        return "it has sliding-window attention"
    if model.model.rotary_emb.rope_type not in _STATIC_ROPE:
        return f"its rotary embedding is {model.model.rotary_emb.rope_type}"
    if (found := beyond_plain_lora(wrapped)) is not None:
        return found
    for name, module in wrapped.named_modules():
        last = name.rsplit(".", 1)[-1]
        if hasattr(module, "lora_A") and last not in _ADAPTED:
            return f"LoRA is on {last}"
        if last in _ADAPTED and type(getattr(module, "base_layer", module)) is not nn.Linear:
            return "its weights stay in NF4"
    return None


def beyond_plain_lora(wrapped: Any) -> str | None:
    """What an adapter is or has beside the A and B of plain LoRA, as a reason; None for nothing."""
    config = wrapped.peft_config["default"]
    kind = str(getattr(config.peft_type, "value", config.peft_type))
    if kind != "LORA":
        return f"its adapter is {kind}"
    if any(getattr(module, "lora_variant", None) for module in wrapped.modules()):
        return "its adapter is a variant of LoRA"
    trained = (name for name, parameter in wrapped.named_parameters() if parameter.requires_grad)
    if not all(_IS_A_OR_B.search(name) for name in trained):
        return "its adapter trains more than A and B"
    return None


def _slides(config: Any) -> bool:
    if config.model_type == "mistral":
        return config.sliding_window is not None
    return bool(getattr(config, "use_sliding_window", False))


class Projection:
    """Linear layers that share their input as one matrix, followed by the A rows of their LoRA."""

    def __init__(self, modules: Sequence[Any]) -> None:
        bases = [getattr(m, "base_layer", m) for m in modules]
        self.out = sum(b.out_features for b in bases)
        self.loras: list[tuple[int, int, nn.Parameter, nn.Parameter, float]] = []
        start = 0
        for module, linear in zip(modules, bases, strict=True):
            if hasattr(module, "lora_A"):
                a, b = module.lora_A["default"].weight, module.lora_B["default"].weight
                scale = float(module.scaling["default"])
                self.loras.append((start, linear.out_features, a, b, scale))
            start += linear.out_features
        rank = sum(a.shape[0] for _, _, a, _, _ in self.loras)
        first = bases[0].weight
        self.full = torch.zeros(
            self.out + rank, first.shape[1], dtype=first.dtype, device=first.device
        )
        start = 0
        for linear in bases:
            rows = self.full[start : start + linear.out_features]
            rows.copy_(linear.weight.data)
            linear.weight.data = rows
            start += linear.out_features
        self.weight = self.full[: self.out]
        self.bias = _joined_bias(bases)
        self._sampling_b: torch.Tensor | None = None

    def lora(self) -> Lora | None:
        """A and scaled B of all parts, as functions of the trained parameters."""
        if not self.loras:
            return None
        dtype = self.full.dtype
        a = torch.cat([p for _, _, p, _, _ in self.loras]).to(dtype)
        blocks = [
            F.pad((b * scale).t(), (start, self.out - start - size))
            for start, size, _, b, scale in self.loras
        ]
        return a, torch.cat(blocks).to(dtype)

    def freeze_for_sampling(self, tuned: bool) -> None:
        """Take over the adapter's present values (or none) for `infer`."""
        with torch.no_grad():
            lora = self.lora() if tuned else None
            self._sampling_b = None
            if lora is not None:
                self.full[self.out :] = lora[0]
                self._sampling_b = lora[1].contiguous()

    def infer(self, x: torch.Tensor) -> torch.Tensor:
        """The projection while sampling: base and A in one product; x [rows, in]."""
        if self._sampling_b is None:
            return F.linear(x, self.weight, self.bias)
        z = F.linear(x, self.full)
        y = torch.addmm(z[:, : self.out], z[:, self.out :], self._sampling_b)
        return y if self.bias is None else y.add_(self.bias)


def _joined_bias(bases: Sequence[nn.Linear]) -> torch.Tensor | None:
    if all(b.bias is None for b in bases):
        return None
    return torch.cat(
        [b.weight.new_zeros(b.out_features) if b.bias is None else b.bias.data for b in bases]
    )


@dataclass(frozen=True, slots=True)
class Layer:
    """One decoder layer's weights."""

    qkv: Projection
    out: Projection
    gate_up: Projection
    down: Projection
    norm_in: torch.Tensor
    norm_mlp: torch.Tensor
    norm_q: torch.Tensor | None
    norm_k: torch.Tensor | None


class Decoder:
    """The weights and the shape of a Llama-like decoder, shared by sampler and learner."""

    def __init__(self, wrapped: Any) -> None:
        model = wrapped.get_base_model()
        config = model.config
        self.config = config
        self.heads: int = config.num_attention_heads
        self.kv_heads: int = config.num_key_value_heads
        self.head_dim: int = (
            getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        )
        self.scale = self.head_dim**-0.5
        self.eps: float = config.rms_norm_eps
        self.embedding: torch.Tensor = model.model.embed_tokens.weight
        self.norm: torch.Tensor = model.model.norm.weight
        self.head: torch.Tensor = model.lm_head.weight
        self.layers = [_layer(block) for block in model.model.layers]
        self._rotary = model.model.rotary_emb
        self._tables: tuple[torch.Tensor, torch.Tensor] | None = None

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.embedding.device

    @property
    def kv_bytes_per_token(self) -> int:
        """Bytes that one token's keys and values take in all layers."""
        return 2 * len(self.layers) * self.kv_heads * self.head_dim * self.embedding.element_size()

    def rotations(self, length: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Give cos and sin of positions 0 to at least `length`; [length, dim/2], one per pair."""
        if self._tables is None or self._tables[0].shape[0] < length:
            size = max(256, 1 << (length - 1).bit_length())
            positions = torch.arange(size, device=self.device)[None]
            cos, sin = self._rotary(self.embedding, positions)
            half = self.head_dim // 2
            self._tables = cos[0, :, :half].contiguous(), sin[0, :, :half].contiguous()
        return self._tables

    def rms(self, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """Root-mean-square norm over the last dimension."""
        return F.rms_norm(x, (x.shape[-1],), weight, self.eps)

    def freeze_for_sampling(self, tuned: bool) -> None:
        """Take the adapter as it is now (or leave it out) into the sampling weights."""
        for layer in self.layers:
            for projection in (layer.qkv, layer.out, layer.gate_up, layer.down):
                projection.freeze_for_sampling(tuned)


def rotate(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Rotary embedding of x [..., dim] by cos and sin [..., dim/2] (transformers' half layout)."""
    out = torch.empty_like(x)
    half = x.shape[-1] // 2
    a, b = x[..., :half], x[..., half:]
    torch.mul(a, cos, out=out[..., :half]).addcmul_(b, sin, value=-1)
    torch.mul(b, cos, out=out[..., half:]).addcmul_(a, sin)
    return out


def _layer(block: Any) -> Layer:
    attention, mlp = block.self_attn, block.mlp
    return Layer(
        qkv=Projection([getattr(attention, name) for name in _QKV]),
        out=Projection([attention.o_proj]),
        gate_up=Projection([getattr(mlp, name) for name in _GATE_UP]),
        down=Projection([mlp.down_proj]),
        norm_in=block.input_layernorm.weight,
        norm_mlp=block.post_attention_layernorm.weight,
        norm_q=getattr(getattr(attention, "q_norm", None), "weight", None),
        norm_k=getattr(getattr(attention, "k_norm", None), "weight", None),
    )
