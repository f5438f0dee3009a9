"""Pays for a list of at most three genes."""


def grade(sample, item):
    answer = sample["output_json"]
    if answer is None:
        return 0.0
    return 1.0 if len(answer["genes"]) <= 3 else 0.0
