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

_texts = st.text(st.sampled_from("ab ,1é"), max_size=4)
_numbers = st.floats(-4, 4, width=16) | st.sampled_from([0.0, 1.0, 2.0, 1e300, -1e-300])
_json = st.recursive(
    st.none() | st.booleans() | _numbers | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("kl"), inner),
    max_leaves=5,
)


@st.composite
def environments(draw, a=(-4.0, 4.0), b=(0.0, 1.0)):
    """Values of the names; `a` and `b` within their ranges."""
    return {
        "a": draw(st.floats(*a)),
        "b": draw(st.floats(*b)),
        "p": draw(st.booleans()),
        "item": {
            "s": draw(_texts),
            "xs": draw(st.lists(_numbers, max_size=4)),
            "ss": draw(st.lists(_texts, max_size=4)),
            "n": draw(st.none() | _numbers),
            "j": draw(_json.filter(lambda value: value is not None)),
        },
    }


def _literal(value):
    return f"{value!r}" if value >= 0 else f"(-{-value!r})"


def _join(template, *parts):
    return st.tuples(*parts).map(lambda texts: template.format(*texts))


def expressions():
    """Texts of number and of bool expressions."""
    number_leaf = st.sampled_from(["a", "b", "len(item.s)"]) | _numbers.map(_literal)
    bool_leaf = st.sampled_from(["p", "true", "false", 'contains(item.s, "a")'])
    leaves = st.tuples(number_leaf, bool_leaf)
    return st.recursive(leaves, _grow, max_leaves=12)


def _grow(pairs):
    number, truth = pairs.map(lambda pair: pair[0]), pairs.map(lambda pair: pair[1])
    strings = st.sampled_from(["item.s", "lower(item.s)", '"a,b"', 'first(item.ss) ?? ""'])
    lists = st.one_of(
        st.sampled_from(["item.xs", "[]", "unique(item.xs)"]),
        st.lists(number, min_size=1, max_size=3).map(lambda xs: f"[{', '.join(xs)}]"),
        _join("top_k({}, floor(abs({})))", st.just("item.xs"), number),
    )
    texts = st.sampled_from(["item.ss", 'split(item.s, ",")', "words(item.s)", "lines(item.s)"])
    optional = st.one_of(
        st.sampled_from(["item.n", "item.xs[0]", "to_number(item.s)", "item.j.k", "item.j"]),
        _join("rank_of({}, {})", strings, texts),
        _join("rank_of({}, {})", number, lists),
        _join("nth({}, {})", lists, number),
        _join("item.xs[{}]", number),
        _join("mean({})", lists),
        _join("max({})", lists),
        _join("sum(item.j)"),
        _join("rank_decay(rank_of({}, {}), second={})", strings, texts, number),
    )
    numbers = st.one_of(
        _join("({} {} {})", number, st.sampled_from("+-*/%^"), number),
        _join("{} + {} - {} * {} + {} - {}", *[number] * 6).map("({})".format),
        _join("(-{})", number),
        _join("(if {} then {} else {})", truth, number, number),
        _join("({} ?? {})", optional, number),
        _join("{}({})", st.sampled_from(["abs", "floor", "ceil", "exp", "sqrt", "log"]), number),
        _join("round({}, {})", number, number),
        _join("{}({}, {})", st.sampled_from(["min", "max", "safe_div"]), number, number),
        _join("clamp({}, {}, {})", number, number, number),
        _join("gate({}, {})", truth, number),
        _join("{}({})", st.sampled_from(["sum", "len", "dup_count"]), lists),
        _join("weighted_mean({}, {})", lists, lists),
        _join("{}({}, {})", st.sampled_from(["jaccard", "f1", "recall"]), lists, lists),
        _join("token_f1({}, {})", strings, strings),
        _join("{}({})", st.sampled_from(["rank_decay", "reciprocal_rank"]), number),
        _join("linear_decay({}, {})", number, number),
        _join("ndcg_at({}, {})", number, number),
        _join("(let x{} = {} in x{} * {})", *[st.just("y"), number, st.just("y"), number]).filter(
            lambda text: text.count("let ") == 1
        ),
    )
    truths = st.one_of(
        _join("({} {} {})", number, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), number),
        _join("({} {} {})", truth, st.sampled_from(["and", "or"]), truth),
        _join("({} and {} and {} or {})", truth, truth, truth, truth),
        _join("(not {})", truth),
        _join("has({})", optional),
        _join("({} == {})", lists, lists),
        _join("close({}, {})", number, number),
        _join("(hit_at(rank_of({}, {}), 2) ?? {})", strings, texts, truth),
    )
    return st.tuples(numbers, truths)
