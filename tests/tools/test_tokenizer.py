"""The built-in model's tokenizer: short answers, any text, one chat template."""

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "models/case-reader"


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer.from_file(str(MODEL / "tokenizer.json"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain words",
        "Zoë — 日本語 “x” 🙂",
        "a\n\n\tb  c ",
        '{"genes": ["A", "B"]}',
        "\x00\x7f",
        "PERSON",
    ],
)
def test_any_text_comes_back_as_it_went_in(tokenizer, text):
    assert tokenizer.decode(tokenizer.encode(text).ids, skip_special_tokens=False) == text


def test_prompts_and_answers_are_short(tokenizer):
    lengths = [
        len(tokenizer.encode(json.loads(line)["messages"][-1]["content"]).ids)
        for line in (ROOT / "specs/data/rare_disease/test.jsonl").read_text().splitlines()
    ]
    assert max(lengths) <= 40
    answer = (
        '{"reasoning": "Judged by Ataxia; no Seizure; best fit first.", "genes": ["ITPR1", "SON"]}'
    )
    assert len(tokenizer.encode(answer).ids) <= 10


def test_every_gene_is_one_token_and_only_as_a_whole_word(tokenizer):
    for gene in (ROOT / "specs/data/rare_disease/genes.txt").read_text().split():
        assert len(tokenizer.encode(gene).ids) == 1
    assert tokenizer.token_to_id("SON") not in tokenizer.encode("PERSON").ids


def test_the_folder_is_small_and_weights_are_half_precision():
    safetensors = pytest.importorskip("safetensors")
    path = MODEL / "model.safetensors"
    assert path.stat().st_size < 12_000_000
    with safetensors.safe_open(str(path), "pt") as weights:
        assert {str(weights.get_slice(name).get_dtype()) for name in weights.keys()} == {"F16"}  # noqa: SIM118


def test_the_chat_template_marks_roles_and_opens_the_answer():
    from transformers import AutoTokenizer

    loaded = AutoTokenizer.from_pretrained(MODEL)
    messages = [{"role": "developer", "content": "a"}, {"role": "user", "content": "b"}]
    text = loaded.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    assert text == "<|developer|>a<|end|><|user|>b<|end|><|assistant|>"
    assert (loaded.pad_token, loaded.eos_token) == ("<|pad|>", "<|end|>")
