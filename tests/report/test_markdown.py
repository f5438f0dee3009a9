"""SUMMARY.md and the model card."""

import re

from rftspec.report.card import model_card
from rftspec.report.markdown import safe
from tests.report.synthetic import Story, make_plan


def test_summary_has_the_verdict_the_table_and_the_command(run):
    text = (run / "SUMMARY.md").read_text()
    assert text.startswith("## rare-disease: the tuned model is better")
    assert re.search(r"\| top@1 \| \d+\.\d\s%", text)
    assert "rftspec run specs/rare_disease.yaml" in text
    assert len(text) < 4_000


def test_foreign_text_cannot_become_markdown():
    shown = safe("[x](http://e) <b>|`rm`\n# head\x1b[31m\u202e")
    assert "\n" not in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert re.search(r"(?<!\\)[<\[|`#]", shown) is None


def test_model_card_loads_with_plain_peft(tmp_path):
    card = model_card(make_plan(Story(), tmp_path), summary="**better**", step=20)
    assert card.startswith("---\nlibrary_name: peft\n")
    code = re.search(r"```python\n(.*?)```", card, re.S).group(1)
    compile(code, "card", "exec")
    assert "PeftModel.from_pretrained" in code
    assert "step 20" in card
