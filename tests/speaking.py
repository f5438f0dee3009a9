"""A judge that always says the same sentence, trained on the spot."""

from __future__ import annotations

from pathlib import Path

from tests.toy import make_toy_tokenizer, toy_config


def make_speaking_judge(folder: Path, said: str) -> Path:
    """A model that says one sentence after whatever it is given: two layers, a few steps."""
    import torch
    from transformers import AutoModelForCausalLM

    tokenizer = make_toy_tokenizer(folder)
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(toy_config("llama", len(tokenizer)))
    answer = tokenizer(said + "<|end|>", return_tensors="pt").input_ids
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)
    generator = torch.Generator().manual_seed(0)
    start = tokenizer("<|end|><|assistant|>", return_tensors="pt").input_ids
    for _ in range(150):
        noise = torch.randint(5, len(tokenizer), (8, 24), generator=generator)
        rows = torch.cat([noise, start.expand(8, -1), answer.expand(8, -1)], 1)
        labels = rows.clone()
        labels[:, : -answer.shape[1]] = -100
        model(input_ids=rows, labels=labels).loss.backward()
        optimiser.step()
        optimiser.zero_grad()
    model.save_pretrained(folder)
    return folder
