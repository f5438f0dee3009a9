"""Pays 0.3 for the right tool, the rest for its arguments; a made-up one costs its share."""


def grade(sample, item):
    told, wanted = sample["output_json"], item["call"]
    if told is None or told["name"] != wanted["name"]:
        return 0.0
    given, right = told["arguments"], wanted["arguments"]
    hits = sum(name in given and given[name] == value for name, value in right.items())
    return 0.3 + 0.7 * hits / len(set(given) | set(right))
