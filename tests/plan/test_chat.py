"""Prompts as tokens without transformers: equal to what `apply_chat_template` gives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rftspec.plan.chat import ChatTokenizer, NoTokenizer, TemplateRefused
from rftspec.resources import resource
from tests.toy import make_toy_tokenizer

CHATML = (
    "{%- for message in messages %}\n"
    "    {%- if loop.first and message.role != 'system' %}\n"
    "        {{- '<|system|>You help.<|end|>\\n' }}\n"
    "    {%- endif %}\n"
    "    {{- '<|' + message.role + '|>' + message.content | trim + '<|end|>' + '\\n' }}\n"
    "{%- endfor %}\n"
    "{%- if add_generation_prompt %}\n    {{- '<|assistant|>' }}\n{%- endif %}\n"
)
GENERATION = (
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'assistant' %}"
    "{% generation %}{{ m.content }}{{ eos_token }}{% endgeneration %}"
    "{% else %}[{{ m.role | upper }}] {{ m.content }}{% endif %}{% endfor %}"
)
LOOPING = (
    "{% set ns = namespace(n=0) %}{% for m in messages %}{% if m.role == 'system' %}{% continue %}"
    "{% endif %}{% set ns.n = ns.n + 1 %}{{ ns.n }}:{{ m | tojson }}{{ eos_token }}{% endfor %}"
    "{% if tools is not none %}tools{% endif %}"
)
STRICT = (
    "{% if messages[0].role == 'system' %}{{ raise_exception('no system message') }}{% endif %}"
    "{% for m in messages %}{{ m.content }}{% endfor %}"
)
CHATS: list[list[dict[str, Any]]] = [
    [{"role": "user", "content": "signs present: ataxia\n\n  and <b>seizures</b> "}],
    [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Größe? 日本語 🧬"}],
    [
        {"role": "user", "content": "<|end|> is a token that a person typed"},
        {"role": "assistant", "content": "so it is"},
        {"role": "user", "content": "why?"},
    ],
]


def _both(folder: Path) -> tuple[ChatTokenizer, Any]:
    from transformers import AutoTokenizer

    return ChatTokenizer(folder), AutoTokenizer.from_pretrained(folder)


def _ids(tokenizer: Any, chat: list[dict[str, Any]]) -> list[int]:
    return list(tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=False))


def _assert_equal(folder: Path, chats: list[list[dict[str, Any]]]) -> None:
    ours, theirs = _both(folder)
    for chat in chats:
        text = ours.render(chat)
        wanted = _ids(theirs, chat)
        assert [token.id for token in ours.encode(text)] == wanted
        assert ours.count([text]) == [len(wanted)]
        assert "".join(token.text for token in ours.encode(text)) == text


def test_built_in_models_prompts_are_those_of_apply_chat_template() -> None:
    folder = resource("models", "case-reader")
    path = resource("specs", "data", "rare_disease", "train.jsonl")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()[:60]]
    _assert_equal(folder, [row["messages"] for row in rows])


@pytest.mark.parametrize("template", [None, CHATML, GENERATION, LOOPING], ids=range(4))
def test_toy_tokenizers_prompts_are_those_of_apply_chat_template(
    template: str | None, tmp_path: Path
) -> None:
    made = make_toy_tokenizer(tmp_path / "toy")
    if template is not None:
        made.chat_template = template
        made.save_pretrained(tmp_path / "toy")
    _assert_equal(tmp_path / "toy", CHATS)


@pytest.mark.parametrize("kind", ["wordpiece", "unigram", "bpe-prefix"])
def test_other_kinds_of_tokenizers_are_read_alike(kind: str, tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    special = ["[UNK]", "[CLS]", "[SEP]", "<s>"]
    lines = ["signs present and absent, seizures and ataxia", "which gene is the cause?"] * 4
    trainer: Any
    if kind == "wordpiece":
        made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        made.normalizer = normalizers.BertNormalizer(lowercase=True)
        made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer = trainers.WordPieceTrainer(special_tokens=special, vocab_size=200)
    elif kind == "unigram":
        made = Tokenizer(models.Unigram())
        made.normalizer = normalizers.NFKC()
        made.pre_tokenizer = pre_tokenizers.Metaspace()
        trainer = trainers.UnigramTrainer(special_tokens=special, unk_token="[UNK]")
    else:
        made = Tokenizer(models.BPE())
        made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
        trainer = trainers.BpeTrainer(special_tokens=special, vocab_size=300)
    trainer.show_progress = False
    made.train_from_iterator(lines, trainer)
    # a truncation that was saved must never cut a prompt
    made.enable_truncation(8)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=made, unk_token="[UNK]", bos_token="<s>", eos_token="[SEP]"
    )
    fast.chat_template = "{{ bos_token }}{% for m in messages %}{{ m.content }}[SEP]{% endfor %}"
    fast.save_pretrained(tmp_path)
    ours, theirs = _both(tmp_path)
    chat = CHATS[1]
    wanted = theirs(ours.render(chat), add_special_tokens=False, truncation=False).input_ids
    found = [token.id for token in ours.encode(ours.render(chat))]
    assert found == _ids(theirs, chat) == wanted


def test_named_templates_and_template_files_are_found_where_transformers_looks(
    tmp_path: Path,
) -> None:
    make_toy_tokenizer(tmp_path)
    (tmp_path / "chat_template.jinja").unlink(missing_ok=True)
    config = json.loads((tmp_path / "tokenizer_config.json").read_text())
    config["chat_template"] = [
        {"name": "default", "template": "A{{ messages[0].content }}"},
        {"name": "tool_use", "template": "B{{ messages[0].content }}"},
    ]
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    _assert_equal(tmp_path, CHATS[:2])
    (tmp_path / "chat_template.jinja").write_text("C{{ messages[-1].content }}")
    _assert_equal(tmp_path, CHATS[:2])
    assert ChatTokenizer(tmp_path).render(CHATS[0]).startswith("Csigns")


def test_template_that_refuses_is_told_in_its_own_words(tmp_path: Path) -> None:
    made = make_toy_tokenizer(tmp_path)
    made.chat_template = STRICT
    made.save_pretrained(tmp_path)
    with pytest.raises(TemplateRefused, match="no system message"):
        ChatTokenizer(tmp_path).render(CHATS[1])
    (tmp_path / "chat_template.jinja").write_text("{% for %}")
    with pytest.raises(TemplateRefused, match="malformed"):
        ChatTokenizer(tmp_path).render(CHATS[0])


def test_template_cannot_leave_its_sandbox(tmp_path: Path) -> None:
    make_toy_tokenizer(tmp_path)
    for code in (
        "{{ ''.__class__.__mro__ }}",
        "{{ messages.append(1) }}",
        "{{ cycler.__init__.__globals__ }}",
    ):
        (tmp_path / "chat_template.jinja").write_text(code)
        with pytest.raises(TemplateRefused):
            assert ChatTokenizer(tmp_path).render(CHATS[0]) == ""


@pytest.mark.parametrize("missing", ["tokenizer.json", "template"])
def test_what_is_missing_is_named(missing: str, tmp_path: Path) -> None:
    make_toy_tokenizer(tmp_path, chat_template=False)
    if missing == "tokenizer.json":
        (tmp_path / missing).unlink()
    with pytest.raises(NoTokenizer, match=missing):
        ChatTokenizer(tmp_path)


def test_damaged_tokenizer_is_no_tokenizer(tmp_path: Path) -> None:
    make_toy_tokenizer(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(NoTokenizer, match="cannot be read"):
        ChatTokenizer(tmp_path).count(["x"])


def test_fingerprint_changes_with_every_file_that_decides(tmp_path: Path) -> None:
    make_toy_tokenizer(tmp_path)
    seen = {ChatTokenizer(tmp_path).fingerprint}
    for name in ("chat_template.jinja", "tokenizer_config.json", "tokenizer.json"):
        path = tmp_path / name
        text = path.read_text() if path.exists() else ""
        path.write_text(text + " ")
        seen.add(ChatTokenizer(tmp_path).fingerprint)
    assert len(seen) == 4
