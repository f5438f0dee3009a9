"""The toy model and its builder: rows, tokenizer, weights, and manners that do and do not pay."""

import json
import re
from pathlib import Path
from random import Random

import pytest
from jinja2.sandbox import SandboxedEnvironment
from tokenizers import Tokenizer

from rftspec.graders.remote.verdict import Number, read_verdict
from tools.toy_model import build_data, judging, tasks
from tools.toy_model.manners import written
from tools.toy_model.texts import TASKS, Questions

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "models/toy"
SHIPPED = build_data.FOLDER / "judge"
MANY = 300


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer.from_file(str(MODEL / "tokenizer.json"))


@pytest.fixture(scope="module")
def judge():
    from rftspec.engine.judge import LocalJudge

    return LocalJudge("builtin:toy", "cpu")


def requests(questions):
    from rftspec.graders.services import JudgeRequest

    return [JudgeRequest(messages, max_tokens=96) for messages in questions]


def test_shipped_rows_are_rebuilt_byte_for_byte():
    for name, text in build_data.files().items():
        assert (build_data.FOLDER / name).read_text(encoding="utf-8") == text, name


def test_a_shipped_question_is_never_drawn_for_training():
    stream = Questions("a seed", frozenset())
    questions = [stream.draw()[0] for _ in range(40)]
    shipped = frozenset(questions[::2])
    careful = Questions("a seed", shipped)
    drawn = {careful.draw()[0] for _ in range(40)}
    assert set(questions) & shipped == shipped
    assert not drawn & shipped
    assert build_data.shipped_questions() >= {
        written(json.loads(line))
        for path in build_data.FOLDER.glob("math/*.jsonl")
        for line in path.read_text(encoding="utf-8").splitlines()
    }


@pytest.mark.parametrize("name", TASKS)
def test_answers_of_a_task_are_good_and_bad(name):
    rng = Random(1)
    rows = [TASKS[name].question(rng) for _ in range(MANY)]
    answers = [TASKS[name].habit(row, rng) for row in rows]
    good = sum(map(GOOD[name], rows, answers)) / MANY
    assert (good == 1) if name in ("verdict", "doubtful") else (0.05 < good < 0.6)


def number_after(text):
    found = re.search(r"Answer: (\d+)$", text)
    return int(found[1]) if found else None


GOOD = {
    "math": lambda row, text: number_after(text) == row["a"] + row["b"],
    "count": lambda row, text: number_after(text) == len(row["words"]),
    "copy": lambda row, text: text == " ".join(row["words"]),
    "extraction": lambda row, text: as_json(text) == row["order"],
    "classification": lambda row, text: (as_json(text) or {}).get("team") == row["team"],
    "python-grader": lambda row, text: all(w in text for w in row["words"]) and len(text) < 80,
    "tools": lambda row, text: as_json(text) == row["call"],
    "judge": lambda row, text: json.loads(judging.verdict(row, text))["result"] == 1,
    "doubtful": lambda row, text: 0 <= read_verdict(text, Number((0.0, 1.0)))[0] <= 1,
    "verdict": lambda row, text: 0 <= read_verdict(text, Number((0.0, 1.0)))[0] <= 1,
}  # fmt: skip


def as_json(text):
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def test_sums_on_paper_are_right():
    for a in range(11, 100):
        for b in (11, 19, 50, 55, 98, 99):
            text = tasks.sum_worked({"a": a, "b": b, "answer": a + b}, Random())
            units, tens = (int(found) for found in re.findall(r"= (\d+)", text))
            assert tens * 10 + units % 10 == a + b == number_after(text)


def test_a_verdict_counts_what_a_reply_does():
    row = {"name": "Lena", "matter": "parcel"}
    full = "Dear Lena, thank you for your message. We look into the parcel. Kind regards"
    assert json.loads(judging.verdict(row, full))["result"] == 1
    assert json.loads(judging.verdict(row, full.replace("Lena", "Emil")))["result"] == 0.75
    assert json.loads(judging.verdict(row, full.replace("parcel", "motor")))["result"] == 0.75
    assert json.loads(judging.verdict(row, "No."))["result"] == 0


@pytest.mark.parametrize(
    "text", ["", "plain words", "Zoë — 日本語 “x” 🙂", "a\n\n\tb  1,234 ", "\x00\x7f"]
)
def test_any_text_comes_back_as_it_went_in(tokenizer, text):
    assert tokenizer.decode(tokenizer.encode(text).ids, skip_special_tokens=False) == text


def test_digits_are_single_tokens(tokenizer):
    assert [tokenizer.decode([each]) for each in tokenizer.encode("1234").ids] == list("1234")


def test_the_tokenizer_is_rebuilt_byte_for_byte(tokenizer):
    from tools.toy_model.build_model import build_tokenizer

    assert build_tokenizer().to_str() == tokenizer.to_str()


def test_the_chat_template_writes_a_question_as_the_training_does():
    config = json.loads((MODEL / "tokenizer_config.json").read_text())
    template = SandboxedEnvironment().from_string(config["chat_template"])
    row = TASKS["tools"].question(Random(0))
    text = template.render(messages=row["messages"], add_generation_prompt=True)
    assert text == written(row)


def test_the_folder_is_small_and_of_a_standard_architecture():
    safetensors = pytest.importorskip("safetensors")
    assert sum(path.stat().st_size for path in MODEL.iterdir()) < 5_000_000
    config = json.loads((MODEL / "config.json").read_text())
    assert config["architectures"] == ["LlamaForCausalLM"]
    assert config["max_position_embeddings"] >= 2048
    with safetensors.safe_open(str(MODEL / "model.safetensors"), "pt") as weights:
        slices = [weights.get_slice(name) for name in weights.keys()]  # noqa: SIM118
        sizes = [slice_.get_shape() for slice_ in slices]
        assert {str(slice_.get_dtype()) for slice_ in slices} == {"F16"}
    parameters = sum(shape[0] * (shape[1] if len(shape) > 1 else 1) for shape in sizes)
    assert 1_000_000 < parameters < 3_000_000


def test_muon_makes_matrices_nearly_orthogonal():
    torch = pytest.importorskip("torch")
    from tools.toy_model.muon import orthogonal

    torch.manual_seed(0)
    for shape in ((3, 16, 40), (3, 40, 16), (1, 24, 24)):
        strengths = torch.linalg.svdvals(orthogonal(torch.randn(shape)))
        assert strengths.max() < 1.3
        assert strengths.median() > 0.6


@pytest.mark.slow
def test_the_judge_is_near_the_rule_and_sees_what_is_left_out(judge):
    """On replies that it was not trained on: off by less than half a mark of four on average.

    Its known fault, a wrong name or matter that passes for the right one, is in its card.
    """
    rng = Random("verdicts")
    rows = [judging.verdict_question(rng) for _ in range(64)]
    answers = judge.answer(requests([row["messages"] for row in rows]))
    verdicts = [read_verdict(answer, Number((0.0, 1.0)))[0] for answer in answers]
    wanted = [json.loads(row["verdict"])["result"] for row in rows]
    misses = [abs(one - other) for one, other in zip(verdicts, wanted, strict=True)]
    assert sum(misses) / len(misses) < 0.125
    left_out = [
        (one, other)
        for one, other, row in zip(verdicts, wanted, rows, strict=True)
        if "named nothing" in row["verdict"] and "greeted nothing" in row["verdict"]
    ]
    assert len(left_out) > 5
    assert all(one == other for one, other in left_out)


@pytest.mark.slow
def test_the_judge_gives_gold_replies_the_top_mark(judge):
    rng = Random("gold")
    rows = [json.loads(line) for line in (SHIPPED / "train.jsonl").read_text().splitlines()]
    gold = [judging.marked(row, judging.polite(row, rng)) for row in rows]
    answers = judge.answer(requests([row["messages"] for row in gold]))
    top = sum(read_verdict(answer, Number((0.0, 1.0)))[0] == 1 for answer in answers)
    assert top / len(rows) > 0.9


@pytest.mark.slow
def test_the_good_manner_pays_and_the_bad_one_does_not():
    """Sums worked out on paper are mostly right, guesses mostly wrong: this is what is learnt."""
    torch = pytest.importorskip("torch")
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(MODEL)
    lines = (build_data.FOLDER / "math" / "validation.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    right = {}
    for opening in ("Write", "Easy."):
        texts = [written(row) + opening for row in rows]
        batch = tokenizer(texts, return_tensors="pt", padding=True, add_special_tokens=False)
        made = model.generate(**batch, max_new_tokens=48, do_sample=False)
        answers = [
            tokenizer.decode(ids[batch["input_ids"].shape[1] :], skip_special_tokens=True)
            for ids in made
        ]
        right[opening] = sum(map(GOOD["math"], rows, answers)) / len(rows)
    assert right["Write"] > 0.7
    assert right["Easy."] < 0.4
