"""The lean decoder's forward pass for learning: packed rows, each prompt computed once."""

# ruff: noqa: N806 - names of tensors carry their dimensions

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional as F  # noqa: N812 - the field's name for it

from rftspec.engine.lean import Decoder, Layer, Lora, Projection, rotate
from rftspec.engine.packing import Packed


class _Pad(torch.autograd.Function):
    """Rows to padded places; a row's gradient is the one at its own place, pads have none."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, pad: torch.Tensor, unpad: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(unpad)
        return x.index_select(0, pad)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (unpad,) = ctx.saved_tensors
        return grads[0].index_select(0, unpad), None, None


class _Unpad(torch.autograd.Function):
    """Padded places back to rows; the gradient of a pad is zero."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, unpad: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(unpad)
        ctx.places = x.shape[0]
        return x.index_select(0, unpad)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (unpad,) = ctx.saved_tensors
        wide = grads[0].new_zeros(ctx.places, grads[0].shape[1])
        wide[unpad] = grads[0]
        return wide, None


class _Rotate(torch.autograd.Function):
    """Rotary embedding; its gradient is the rotation by the opposite angle."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(cos, sin)
        return rotate(x, cos, sin)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        cos, sin = ctx.saved_tensors
        return rotate(grads[0], cos, -sin), None, None


class _SwiGLU(torch.autograd.Function):
    """silu(gate) · up of the fused [gate, up]; keeps its input only, and makes one gradient."""

    @staticmethod
    def forward(ctx: Any, both: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(both)
        gate, up = both.chunk(2, dim=-1)
        return F.silu(gate).mul_(up)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> torch.Tensor:
        (both,) = ctx.saved_tensors
        gate, up = both.chunk(2, dim=-1)
        out = torch.empty_like(both)
        to_gate, to_up = out.chunk(2, dim=-1)
        share = torch.sigmoid(gate)
        torch.mul(gate, share, out=to_up)
        # silu' = σ(1 + g(1 − σ)) = σ + silu·(1 − σ)
        torch.sub(1.0, share, out=to_gate)
        to_gate.mul_(to_up).add_(share).mul_(up).mul_(grads[0])
        to_up.mul_(grads[0])
        return out


_swiglu: Callable[..., torch.Tensor] = _SwiGLU.apply
_pad: Callable[..., torch.Tensor] = _Pad.apply
_unpad: Callable[..., torch.Tensor] = _Unpad.apply
_rotate: Callable[..., torch.Tensor] = _Rotate.apply


def completion_hidden(d: Decoder, batch: Packed, *, tuned: bool) -> torch.Tensor:
    """Final hidden states of the completion rows, [C, hidden]; the adapter is differentiated."""
    cos, sin = d.rotations(int(batch.positions_T.max()) + 1)
    cos, sin = cos[batch.positions_T, None], sin[batch.positions_T, None]
    x = d.embedding[batch.tokens_T]
    for index, layer in enumerate(d.layers):
        last = index + 1 == len(d.layers)
        q, k, v = _heads(d, layer, d.rms(x, layer.norm_in), cos, sin, tuned)
        attended = _attend(d, batch, q, k, v, last=last)
        if last:
            x = x[batch.prompt_rows :]  # nothing follows the prompts' last keys and values
        x = x + _project(layer.out, attended, tuned)
        gated = _swiglu(_project(layer.gate_up, d.rms(x, layer.norm_mlp), tuned))
        x = x + _project(layer.down, gated, tuned)
    return d.rms(x, d.norm)


def _project(projection: Projection, x: torch.Tensor, tuned: bool) -> torch.Tensor:
    y = F.linear(x, projection.weight, projection.bias)
    lora: Lora | None = projection.lora() if tuned else None
    if lora is None:
        return y
    a, b = lora
    return y.addmm_(F.linear(x, a), b)


def _heads(
    d: Decoder, layer: Layer, x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor, tuned: bool
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Rotated queries and keys, and values; each [T, heads, dim]."""
    qkv = _project(layer.qkv, x, tuned).view(-1, d.heads + 2 * d.kv_heads, d.head_dim)
    q, k, v = qkv.split_with_sizes([d.heads, d.kv_heads, d.kv_heads], 1)
    if layer.norm_q is not None and layer.norm_k is not None:
        q, k = d.rms(q, layer.norm_q), d.rms(k, layer.norm_k)
    return _rotate(q, cos, sin), _rotate(k, cos, sin), v


def _attend(
    d: Decoder,
    batch: Packed,
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    *,
    last: bool,
) -> torch.Tensor:
    """Attention of prompt rows over their prompt, and of completion rows over prompt and self."""
    rows = [batch.prompt_rows, q.shape[0] - batch.prompt_rows]
    (qp, qc), (kp, kc), (vp, vc) = (x.split_with_sizes(rows) for x in (q, k, v))
    repeat = d.heads // d.kv_heads
    kc_B, vc_B = (_padded(x, batch, prompts=False, repeat=repeat) for x in (kc, vc))
    mask = batch.mask.to(q.dtype)
    outputs = []
    if batch.prompt_width:
        kp_N, vp_N = (_padded(x, batch, prompts=True, repeat=repeat) for x in (kp, vp))
        if not last:
            qp_N = _padded(qp, batch, prompts=True)
            out = F.scaled_dot_product_attention(qp_N, kp_N, vp_N, is_causal=True, scale=d.scale)
            outputs.append(_unpadded(out, batch, prompts=True))
        # index_select, not [...]: the gradient of indexing is summed by atomics, in any order
        kp_B, vp_B = (x.index_select(0, batch.prompt_of_B) for x in (kp_N, vp_N))
        kc_B = torch.cat([kp_B, kc_B], dim=2)
        vc_B = torch.cat([vp_B, vc_B], dim=2)
    qc_B = _padded(qc, batch, prompts=False)
    out = F.scaled_dot_product_attention(qc_B, kc_B, vc_B, attn_mask=mask, scale=d.scale)
    outputs.append(_unpadded(out, batch, prompts=False))
    return outputs[0] if len(outputs) == 1 else torch.cat(outputs)


def _padded(x: torch.Tensor, batch: Packed, *, prompts: bool, repeat: int = 1) -> torch.Tensor:
    """Rows [R, heads, dim] as [sequences, heads × repeat, width, dim]."""
    pad, unpad, width = _places(batch, prompts)
    wide = _pad(x, pad, unpad).view(-1, width, *x.shape[1:]).transpose(1, 2)
    return wide if repeat == 1 else wide.repeat_interleave(repeat, dim=1)


def _unpadded(x: torch.Tensor, batch: Packed, *, prompts: bool) -> torch.Tensor:
    """[sequences, heads, width, dim] back to rows [R, heads × dim]."""
    _, unpad, _ = _places(batch, prompts)
    n, heads, width, dim = x.shape
    flat = x.transpose(1, 2).reshape(n * width, heads * dim)
    return _unpad(flat, unpad)


def _places(batch: Packed, prompts: bool) -> tuple[torch.Tensor, torch.Tensor, int]:
    if prompts:
        return batch.pad_prompts, batch.unpad_prompts, batch.prompt_width
    return batch.pad_completions, batch.unpad_completions, batch.completion_width
