"""A WordNet of three synsets in the format of the real one, for what needs its synonyms."""

from __future__ import annotations

from pathlib import Path

NOUNS = (
    ("physician", "doctor"),
    ("illness", "sickness", "malady"),
    ("car", "automobile"),
)


def write_tiny_wordnet(nltk_data: Path) -> Path:
    """Write `corpora/wordnet` below a folder that may then stand in NLTK_DATA."""
    folder = nltk_data / "corpora" / "wordnet"
    folder.mkdir(parents=True)
    data, offsets = "", {}
    for synset in NOUNS:
        offset = len(data)
        offsets.update(dict.fromkeys(synset, offset))
        words = " ".join(f"{word} 0" for word in synset)
        data += f"{offset:08d} 03 n {len(synset):02x} {words} 000 | a gloss  \n"
    index = "".join(f"{word} n 1 0 1 0 {offsets[word]:08d}  \n" for word in sorted(offsets))
    (folder / "data.noun").write_text(data)
    (folder / "index.noun").write_text(index)
    (folder / "lexnames").write_text(
        "00\tadj.all\t3\n01\tadj.pert\t3\n02\tadv.all\t4\n03\tnoun.Tops\t1\n"
    )
    for part in ("verb", "adj", "adv"):
        (folder / f"data.{part}").write_text("")
        (folder / f"index.{part}").write_text("")
    for part in ("noun", "verb", "adj", "adv"):
        (folder / f"{part}.exc").write_text("")
    for name in ("cntlist.rev", "index.sense"):
        (folder / name).write_text("")
    return folder
