"""NF4 through bitsandbytes, and the exact copy of its values that both sides compute with."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from rftspec.engine.problems import problem


def quantize_nf4(model: nn.Module, compute_dtype: torch.dtype) -> int:
    """Replace the linear layers by NF4 ones (double quantisation); gives how many.

    The output layer and the embeddings stay as they are, as in transformers' own 4-bit loading:
    the same weights in the same dtype give the same codes (a test holds it to that).
    """
    try:
        from bitsandbytes.nn import Linear4bit
    except Exception as error:
        raise problem("M211", f"bitsandbytes cannot be imported ({error})") from error
    kept = {id(module) for module in _output_layers(model)}
    count = 0
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is not nn.Linear or id(child) in kept:
                continue
            layer: Any = Linear4bit(
                child.in_features,
                child.out_features,
                bias=child.bias is not None,
                compute_dtype=compute_dtype,
                compress_statistics=True,
                quant_type="nf4",
                device="meta",
            )
            layer.weight = _packed(child.weight.data, layer)
            if child.bias is not None:
                layer.bias = nn.Parameter(child.bias.data, requires_grad=False)
            setattr(parent, name, layer)
            count += 1
    return count


def dequantize(layer: Any) -> torch.Tensor:
    """The values that an NF4 layer stands for, [out, in], in the dtype that was quantised.

    The one function that sampler and learner dequantise through.
    """
    from bitsandbytes.functional import dequantize_4bit

    weight = layer.weight
    values: torch.Tensor = dequantize_4bit(weight.data, weight.quant_state)
    return values.detach()


def hold_exact_copy(model: nn.Module) -> int:
    """Replace every NF4 layer by a plain linear layer with exactly its values; gives how many."""
    from bitsandbytes.nn import Linear4bit

    count = 0
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if not isinstance(child, Linear4bit):
                continue
            plain = nn.Linear(
                child.in_features, child.out_features, bias=child.bias is not None, device="meta"
            )
            plain.weight = nn.Parameter(dequantize(child), requires_grad=False)
            if child.bias is not None:
                plain.bias = nn.Parameter(child.bias.data, requires_grad=False)
            setattr(parent, name, plain)
            count += 1
    return count


def _packed(weight: torch.Tensor, layer: Any) -> Any:
    """A weight matrix as a bitsandbytes parameter, quantised where it lies."""
    from bitsandbytes.nn import Params4bit

    parameter = Params4bit(
        weight.contiguous(),
        requires_grad=False,
        compress_statistics=True,
        quant_type="nf4",
        module=layer,
    )
    return parameter.to(weight.device)


def _output_layers(model: nn.Module) -> list[nn.Module]:
    found = getattr(model, "get_output_embeddings", lambda: None)()
    return [] if found is None else [found]
