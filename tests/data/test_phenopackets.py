"""The importer of published case reports: what becomes a row, what is left out, and why."""

import json
import re
import zipfile
from pathlib import Path

import pytest

from rftspec.data.phenopackets import MAX_PER_GENE, import_phenopackets, read_genes
from rftspec.diagnostics import DiagnosticError

ARCHIVE = Path(__file__).parents[3] / "shared/data/phenopackets/all_phenopackets.zip"
SIGNS = ("Seizure", "Ataxia", "Short stature", "Deafness", "Scoliosis", "Ptosis", "Hypotonia")


def packet(number, gene="GENE1", present=SIGNS[:3], absent=("Microcephaly",), **more):
    features = [{"type": {"id": "HP:1", "label": sign}} for sign in present]
    features += [{"type": {"id": "HP:2", "label": sign}, "excluded": True} for sign in absent]
    genes = [gene] if isinstance(gene, str) else gene
    return {
        "id": f"case-{number}",
        "subject": {
            "sex": "FEMALE",
            "timeAtLastEncounter": {"age": {"iso8601duration": f"P{number % 60 + 1}Y"}},
        },
        "phenotypicFeatures": features,
        "interpretations": [
            {
                "diagnosis": {
                    "disease": {"label": "A disease"},
                    "genomicInterpretations": [
                        {
                            "variantInterpretation": {
                                "variationDescriptor": {"geneContext": {"symbol": symbol}}
                            }
                        }
                        for symbol in genes
                    ],
                }
            }
        ],
        "diseases": [{"onset": {"age": {"iso8601duration": "P6M"}}}],
    } | more


def folder(path, packets):
    path.mkdir(exist_ok=True)
    for number, each in enumerate(packets):
        text = each if isinstance(each, str) else json.dumps(each)
        (path / f"{number:04d}.json").write_text(text)
    return path


def plain_packets(genes=9, each=4):
    return [packet(g * each + n, gene=f"GENE{g}") for g in range(genes) for n in range(each)]


def rows_of(out):
    return {
        split: [json.loads(line) for line in (out / f"{split}.jsonl").read_text().splitlines()]
        for split in ("train", "validation", "test")
    }


def run(archive, out, train=8, validation=4, test=4, seed=1, genes=None):
    return import_phenopackets(
        archive, out, train=train, validation=validation, test=test, seed=seed, genes=genes
    )


def test_no_gene_stands_in_two_files_and_sizes_are_as_asked(tmp_path):
    summary = run(folder(tmp_path / "in", plain_packets()), tmp_path / "out")
    rows = rows_of(tmp_path / "out")
    genes = {split: {row["gene"] for row in found} for split, found in rows.items()}
    assert summary.rows == {"train": 8, "validation": 4, "test": 4}
    assert {split: len(found) for split, found in rows.items()} == summary.rows
    assert genes["train"].isdisjoint(genes["validation"] | genes["test"])
    assert genes["validation"].isdisjoint(genes["test"])
    assert summary.genes == {split: len(found) for split, found in genes.items()}


def test_a_row_tells_signs_present_and_absent_and_not_the_gene(tmp_path):
    run(folder(tmp_path / "in", plain_packets()), tmp_path / "out")
    row = rows_of(tmp_path / "out")["train"][0]
    prompt = row["messages"][0]["content"]
    assert "\nPresent: Seizure; Ataxia; Short stature;\nAbsent: Microcephaly;\n" in prompt
    assert prompt.startswith("female, ")
    assert "infantile onset" in prompt
    assert row["gene"] not in prompt
    assert set(row) == {"messages", "id", "gene", "disease", "onset", "sex"}


def test_every_case_is_kept_or_counted_with_a_reason(tmp_path):
    odd = [
        packet(900, gene=[]),
        packet(901, gene=["GENE1", "GENE2"]),
        packet(902, present=SIGNS[:1]),
        packet(903, gene="FOXP2", present=("Low FOXP2 level", "Ataxia")),
        packet(904, gene="OTHER"),
        "{not json",
        "[]",
        json.dumps({"id": "x", "phenotypicFeatures": [], "interpretations": [1]}),
    ]
    genes = {f"GENE{number}" for number in range(9)} | {"FOXP2"}
    source = folder(tmp_path / "in", [*plain_packets(), packet(0, gene="GENE0"), *odd])
    summary = run(source, tmp_path / "out", genes=genes)
    assert summary.left_out == {
        "no causative gene": 1,
        "more than one causative gene": 1,
        "fewer than two signs present": 1,
        "its signs name the gene": 1,
        "a gene that was not asked for": 1,
        "not valid JSON": 1,
        "not a phenopacket of schema 2": 2,
        "the same report as another case of its gene": 1,
        "more than the rows asked for": 20,
    }
    assert summary.found == summary.kept + sum(summary.left_out.values())


def test_no_gene_fills_a_judging_file_alone(tmp_path):
    source = folder(tmp_path / "in", plain_packets(genes=6, each=20))
    run(source, tmp_path / "out", validation=12, test=12, train=20)
    rows = rows_of(tmp_path / "out")
    for split in ("validation", "test"):
        genes = [row["gene"] for row in rows[split]]
        assert max(genes.count(gene) for gene in genes) <= MAX_PER_GENE[split]


def test_a_long_report_keeps_some_of_its_signs_in_their_order(tmp_path):
    many = tuple(f"Sign number {number}" for number in range(40))
    packets = [packet(n, gene=f"GENE{n}", present=many, absent=()) for n in range(6)]
    summary = run(folder(tmp_path / "in", packets), tmp_path / "out", 2, 2, 2)
    prompt = rows_of(tmp_path / "out")["test"][0]["messages"][0]["content"]
    numbers = [int(number) for number in re.findall(r"Sign number (\d+);", prompt)]
    assert len(numbers) == 16
    assert numbers == sorted(numbers)
    assert summary.shortened == 6
    assert "Absent" not in prompt


def test_a_zip_and_a_folder_give_the_same_bytes(tmp_path):
    source = folder(tmp_path / "in", plain_packets())
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        for path in sorted(source.iterdir(), reverse=True):
            archive.write(path, path.name)
    run(source, tmp_path / "a")
    run(tmp_path / "in.zip", tmp_path / "b")
    for name in ("train.jsonl", "validation.jsonl", "test.jsonl"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_another_seed_gives_another_split(tmp_path):
    source = folder(tmp_path / "in", plain_packets())
    run(source, tmp_path / "a", seed=1)
    run(source, tmp_path / "b", seed=2)
    assert (tmp_path / "a/test.jsonl").read_bytes() != (tmp_path / "b/test.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("made", "code"),
    [("nothing", "E230"), ("text", "E230"), ("empty folder", "E231"), ("one gene", "E231")],
)
def test_an_archive_that_cannot_be_used_is_one_diagnostic_and_writes_nothing(tmp_path, made, code):
    source = tmp_path / "in"
    if made == "text":
        source.write_text("not a zip")
    elif made == "empty folder":
        source.mkdir()
    elif made == "one gene":
        folder(source, plain_packets(genes=1))
    with pytest.raises(DiagnosticError) as caught:
        run(source, tmp_path / "out")
    assert [found.code for found in caught.value.diagnostics] == [code]
    assert not (tmp_path / "out").exists()


def test_an_out_folder_that_is_a_file_is_a_diagnostic(tmp_path):
    (tmp_path / "out").write_text("here first")
    with pytest.raises(DiagnosticError, match="E232"):
        run(folder(tmp_path / "in", plain_packets()), tmp_path / "out")


def test_the_genes_of_the_built_in_model_are_listed():
    listed = read_genes(Path(__file__).parents[2] / "specs/data/rare_disease/genes.txt")
    assert len(listed) == 160


@pytest.mark.slow
@pytest.mark.skipif(not ARCHIVE.exists(), reason=f"no archive at {ARCHIVE}")
def test_the_real_archive_gives_full_files_of_the_built_in_models_genes(tmp_path):
    genes = read_genes(Path(__file__).parents[2] / "specs/data/rare_disease/genes.txt")
    summary = run(ARCHIVE, tmp_path, train=1100, validation=200, test=200, seed=0, genes=genes)
    assert summary.rows == {"train": 1100, "validation": 200, "test": 200}
    assert summary.found == 9221 == summary.kept + sum(summary.left_out.values())
    for found in rows_of(tmp_path).values():
        for row in found:
            assert not re.search(rf"\b{row['gene']}\b", row["messages"][0]["content"])
