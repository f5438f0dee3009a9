"""Random expressions that type-check, as text, for the property tests."""

from hypothesis import strategies as st

from rftspec.expr.types import BOOL, JSON, NUMBER, STRING, ListOf, OptionalOf, RecordOf

NAMES = {
    "a": NUMBER,
    "b": NUMBER,
    "p": BOOL,
    "item": RecordOf(
        {
            "s": STRING,
            "xs": ListOf(NUMBER),
            "ss": ListOf(STRING),
            "n": OptionalOf(NUMBER),
            "j": JSON,
        }
    ),
}
"""The environment of the random expressions."""

_TEXTS = st.text(st.sampled_from("ab ,1é"), max_size=4)
_NUMBERS = st.floats(-4, 4, width=16) | st.sampled_from([0.0, 1.0, 2.0, 1e300, -1e-300])
_JSON = st.recursive(
    st.none() | st.booleans() | _NUMBERS | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("kl"), inner),
    max_leaves=5,
)

# N number, B bool, S string, L list of numbers, T list of strings, O number that may be missing,
# J json
_LEAVES = {
    "N": ["a", "b", "0", "1", "2.5", "(-0.5)", "len(item.s)", "len(item.xs)"],
    "B": ["p", "true", 'contains(item.s, "a")'],
    "S": ["item.s", '"a,b"', '"a"'],
    "L": ["item.xs", "[]", "[1, 2]"],
    "T": ["item.ss", '["a", "b"]'],
    "O": ["item.n", "item.xs[0]", "to_number(item.s)", "first(item.xs)"],
    "J": ["item.j", "item.j.k", "item.j[0]", "json(item.s)"],
}
_SHAPES = {
    "N": [
        *(f"(N {sign} N)" for sign in "++-**/%^"),
        "(N + N - N * N + N - N / N)",
        "(-N)",
        "(if B then N else N)",
        *["(O ?? N)"] * 4,
        "(J ?? N)",
        "(J ?? J ?? O ?? N)",
        *(f"{name}(N)" for name in ("abs", "floor", "ceil", "exp", "sqrt", "log", "rank_decay")),
        *(f"{name}(N, N)" for name in ("min", "max", "safe_div", "linear_decay", "ndcg_at")),
        "min(N, N, N)",
        "round(N, N)",
        "round(N)",
        "clamp(N, N, N)",
        "clamp(N)",
        "gate(B, N)",
        "number(B)",
        "reciprocal_rank(N)",
        "rank_decay(N, first=N, second=N, cutoff=N)",
        *(f"{name}(L)" for name in ("sum", "len", "dup_count")),
        *(f"{name}(L, L)" for name in ("jaccard", "f1", "recall", "precision", "weighted_mean")),
        "ndcg_at(L, L, N)",
        "token_f1(S, S)",
        "count(L, N)",
        "(let V = N in V * V - N)",
        "(let V = L in sum(V) / len(V))",
        "(let V = O in if has(V) then (V ?? N) else N)",
    ],
    "B": [
        *(f"(N {sign} N)" for sign in ("<", "<=", ">", ">=", "==", "!=")),
        "(B and B)",
        "(B or B)",
        "(B and B and B or B or B)",
        "(not B)",
        "has(O)",
        "has(J)",
        "(J ?? B)",
        "(L == L)",
        "(S != S)",
        "close(N, N)",
        "(hit_at(rank_of(S, T), 2) ?? B)",
        "starts_with(S, S)",
    ],
    "S": [
        "lower(S)",
        '(first(T) ?? "z")',
        "concat(S, S)",
        "(if B then S else S)",
        "(J ?? S)",
        'join(T, "1")',
    ],
    "L": [
        "[N, N]",
        "[N]",
        "unique(L)",
        "top_k(L, floor(abs(N)))",
        "(if B then L else L)",
        "(J ?? [N])",
    ],
    "T": ['split(S, ",")', "words(S)", "lines(S)", "unique(T)", "[S, S]"],
    "J": ["(J ?? J)", "(if B then J else J)", 'get(J, "k")'],
    "O": [
        "rank_of(S, J)",
        "rank_of(S, T)",
        "rank_of(N, L)",
        "nth(L, N)",
        "item.xs[N]",
        "mean(L)",
        "max(L)",
        "min(L)",
        "sum(J)",
        "index_of(N, J)",
        "rank_decay(rank_of(S, T), second=N)",
        "(if B then O else O)",
        "(O ?? O)",
    ],
}


@st.composite
def environments(draw):
    """Values of the names; `a` lies in [-4, 4] and `b` in [0, 1]."""
    return {
        "a": draw(st.floats(-4, 4)),
        "b": draw(st.floats(0, 1)),
        "p": draw(st.booleans()),
        "item": {
            "s": draw(_TEXTS),
            "xs": draw(st.lists(_NUMBERS, max_size=4)),
            "ss": draw(st.lists(_TEXTS, max_size=4)),
            "n": draw(st.none() | _NUMBERS),
            "j": draw(_JSON.filter(lambda value: value is not None)),
        },
    }


@st.composite
def expressions(draw):
    """The text of a number or bool expression."""
    return grow(lambda options: draw(st.sampled_from(options)))


def grow(choose):
    """The text of an expression; `choose` picks one of several options."""
    names = iter(f"v{place}" for place in range(10_000))
    return _grow(choose, choose("NNNB"), choose([1, 2, 3, 4]), names)


def _grow(choose, kind, depth, names):
    if depth == 0:
        return choose(_LEAVES[kind])
    shape = choose(_SHAPES[kind])
    name = next(names)
    return "".join(
        name if sign == "V" else _grow(choose, sign, depth - 1, names) if sign in _SHAPES else sign
        for sign in shape
    )
