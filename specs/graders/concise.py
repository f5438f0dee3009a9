"""Pays for a short answer that can be read: a reason, then at most six genes, none twice."""


def grade(sample, item):
    answer = sample["output_json"]
    if answer is None:
        return 0.0
    genes = answer["genes"]
    if not genes or len(set(genes)) < len(genes):
        return 0.0
    if len(genes) > 6 or not answer["reasoning"].strip():
        return 0.5
    return 1.0
