"""Keys and values of running completions: the prompt's once per group, each row's own apart.

Rows (running completions) and lanes (their prompts) are kept dense: a row that ends gives its
place to the last one, so that every product is over live rows only.
"""

# ruff: noqa: N803 - names of tensors carry their dimensions

from __future__ import annotations

import torch

from rftspec.engine.lean import Decoder

_MASKED = -1e30  # finite, so that a fully masked row gives a weight of zero and not NaN


class KeyValues:
    """Static buffers of keys and values for up to `rows` completions of `lanes` prompts."""

    def __init__(
        self, decoder: Decoder, *, rows: int, lanes: int, group: int, prompt: int, own: int
    ) -> None:
        shape = (len(decoder.layers), decoder.kv_heads, decoder.head_dim)
        layers, heads, dim = shape
        like = decoder.embedding
        self.decoder, self.group = decoder, group
        self.prompt_k = like.new_zeros(layers, lanes, heads, prompt, dim)
        self.prompt_v = torch.zeros_like(self.prompt_k)
        self.own_k = like.new_zeros(layers, rows, heads, own, dim)
        self.own_v = torch.zeros_like(self.own_k)
        self.lengths_N = torch.zeros(lanes, dtype=torch.long, device=like.device)
        self.lane_R = torch.zeros(rows, dtype=torch.long, device=like.device)
        self.place_R = torch.zeros_like(self.lane_R)
        self.own_R = torch.zeros_like(self.lane_R)
        self.rows = self.lanes = 0
        self._changed = True

    def admit(self, lengths: torch.Tensor) -> slice:
        """Give lanes to prompts of these prefix lengths, with `group` new rows each."""
        n = lengths.shape[0]
        lanes = slice(self.lanes, self.lanes + n)
        rows = slice(self.rows, self.rows + n * self.group)
        self.lengths_N[lanes] = lengths
        device = lengths.device
        self.lane_R[rows] = torch.arange(
            self.lanes, self.lanes + n, device=device
        ).repeat_interleave(self.group)
        self.place_R[rows] = torch.arange(self.group, device=device).repeat(n)
        self.own_R[rows] = 0
        self.lanes, self.rows = lanes.stop, rows.stop
        self._changed = True
        return lanes

    def drop(self, ended_R: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Remove ended rows; gives (holes, movers): row movers[i] now stands at holes[i]."""
        width = int(self.own_R[: self.rows].max())
        holes, movers = _refill(ended_R)
        for buffer in (self.own_k, self.own_v):
            buffer[:, holes, :, :width] = buffer[:, movers, :, :width]
        for index in (self.lane_R, self.place_R, self.own_R):
            index[holes] = index[movers]
        self.rows -= int(ended_R.sum())
        self._drop_lanes()
        self._changed = True
        return holes, movers

    def _drop_lanes(self) -> None:
        alive = torch.zeros(self.lanes, dtype=torch.bool, device=self.lane_R.device)
        alive[self.lane_R[: self.rows]] = True
        gone = int((~alive).sum())
        if not gone:
            return
        holes, movers = _refill(~alive)
        moved = torch.arange(self.lanes, device=self.lane_R.device)
        moved[movers] = holes
        for buffer in (self.prompt_k, self.prompt_v):
            buffer[:, holes] = buffer[:, movers]
        self.lengths_N[holes] = self.lengths_N[movers]
        self.lane_R[: self.rows] = moved[self.lane_R[: self.rows]]
        self.lanes -= gone

    def begin_step(self) -> None:
        """Fix this step's widths, masks and slots; call once before the layers."""
        rows, lanes = slice(0, self.rows), slice(0, self.lanes)
        own = self.own_R[rows]
        self._row_index = torch.arange(self.rows, device=own.device)
        self._write_at = own.clone()
        self._own_width = int(own.max()) + 1
        reach = torch.arange(self._own_width, device=own.device)
        hidden = reach[None] > own[:, None]
        self._own_mask = _additive(hidden, self.own_k.dtype)[:, None, None]
        if not self._changed:
            return
        lengths = self.lengths_N[lanes]
        self._prompt_width = max(1, int(lengths.max()))
        beyond = torch.arange(self._prompt_width, device=own.device)[None] >= lengths[:, None]
        self._prompt_mask = _additive(beyond, self.own_k.dtype)[:, None, None]
        self._slot_R = self.lane_R[rows] * self.group + self.place_R[rows]
        self._changed = False

    def end_step(self) -> None:
        """Count the token that every row has written."""
        self.own_R[: self.rows] += 1

    def attend(self, layer: int, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        """Write this step's k and v [rows, kv_heads, dim] and attend q [rows, heads, dim].

        Attention over prompt and own tokens is computed apart and joined by their normalisers:
        softmax over a union is the mean of both parts, weighted by a sigmoid.
        """
        d, rows = self.decoder, self.rows
        repeat = d.heads // d.kv_heads
        self.own_k[layer, self._row_index, :, self._write_at] = k
        self.own_v[layer, self._row_index, :, self._write_at] = v
        q = (q * d.scale).view(rows, d.kv_heads, repeat, d.head_dim)
        keys = self.own_k[layer, :rows, :, : self._own_width]
        values = self.own_v[layer, :rows, :, : self._own_width]
        scores = torch.matmul(q, keys.transpose(-1, -2)).add_(self._own_mask)
        own_norm = torch.logsumexp(scores, -1, keepdim=True)
        own = torch.matmul(torch.softmax(scores, -1), values)
        shared, shared_norm = self._attend_prompts(layer, q)
        joined = torch.lerp(own, shared, torch.sigmoid(shared_norm - own_norm))
        return joined.reshape(rows, d.heads * d.head_dim)

    def _attend_prompts(self, layer: int, q: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Every row's attention over its group's prompt: one product per lane, not per row."""
        _, heads, repeat, dim = q.shape
        lanes, group = self.lanes, self.group
        grid = q.new_zeros(lanes * group, heads, repeat, dim)
        grid[self._slot_R] = q
        grid = grid.view(lanes, group, heads, repeat, dim).transpose(1, 2)
        grid = grid.reshape(lanes, heads, group * repeat, dim)
        keys = self.prompt_k[layer, :lanes, :, : self._prompt_width]
        values = self.prompt_v[layer, :lanes, :, : self._prompt_width]
        scores = torch.matmul(grid, keys.transpose(-1, -2)).add_(self._prompt_mask)
        norm = torch.logsumexp(scores, -1, keepdim=True)
        out = torch.matmul(torch.softmax(scores, -1), values)
        return self._rows_of(out, repeat), self._rows_of(norm, repeat)

    def _rows_of(self, x: torch.Tensor, repeat: int) -> torch.Tensor:
        """From [lanes, heads, group × repeat, n] back to [rows, heads, repeat, n]."""
        lanes, heads, _, n = x.shape
        x = x.view(lanes, heads, self.group, repeat, n).transpose(1, 2)
        return x.reshape(lanes * self.group, heads, repeat, n)[self._slot_R]


def _refill(ended: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Which live places move into which ended ones so that the live ones are the first."""
    live = int(ended.shape[0] - int(ended.sum()))
    holes = ended[:live].nonzero().flatten()
    movers = (~ended[live:]).nonzero().flatten() + live
    return holes, movers


def _additive(hidden: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    mask = torch.zeros(hidden.shape, dtype=dtype, device=hidden.device)
    return mask.masked_fill_(hidden, max(_MASKED, torch.finfo(dtype).min))
