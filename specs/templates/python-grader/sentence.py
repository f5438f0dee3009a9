"""Pays for each of the words, and half as much where that is not one short sentence."""

import re

LONGEST = 14


def grade(sample, item):
    text = sample["output_text"].strip()
    if ":" in text:  # the question given back, or a list
        return 0.0
    said = re.findall(r"[a-z]+", text.lower())
    share = sum(word in said for word in item["words"]) / len(item["words"])
    is_one_sentence = text.endswith(".") and text.count(".") == 1
    if not is_one_sentence or len(said) > LONGEST:
        share = share / 2
    return share
