"""bleu, gleu, meteor and rouge: what two texts have in common, by sacrebleu, nltk, rouge-score."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rftspec.graders.similarity.limits import (
    MAX_METEOR_PRODUCT,
    MAX_ROUGE_L_PRODUCT,
    need,
)

Metric = Callable[[str, str], float]


def bleu() -> Metric:
    """Sentence BLEU of sacrebleu over 100: 13a tokens, exponential smoothing, effective order."""
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a
    from sacrebleu.tokenizers.tokenizer_re import TokenizerRegexp

    made = BLEU(effective_order=True)

    def metric(text: str, reference: str) -> float:
        try:
            return float(made.sentence_score(text, [reference]).score) / 100.0
        finally:
            # sacrebleu keeps the last 65,536 texts, which a run of long answers would not survive
            Tokenizer13a.__call__.cache_clear()
            TokenizerRegexp.__call__.cache_clear()

    return metric


def gleu() -> Metric:
    """Sentence GLEU of nltk (Google BLEU) over words that blanks set apart."""
    from nltk.translate.gleu_score import sentence_gleu

    return lambda text, reference: float(sentence_gleu([reference.split()], text.split()))


def meteor() -> Metric:
    """METEOR of nltk over words that blanks set apart, with WordNet's synonyms."""
    from nltk.translate.meteor_score import meteor_score

    def metric(text: str, reference: str) -> float:
        words, wanted = text.split(), reference.split()
        need(len(words) * len(wanted), MAX_METEOR_PRODUCT, "words × words")
        return float(meteor_score([wanted], words))

    return metric


def rouge_n(n: int) -> Metric:
    """rouge-score's ROUGE-n: the F-measure of n-grams, without a stemmer."""
    from rouge_score.rouge_scorer import RougeScorer

    scorer, kind = RougeScorer([f"rouge{n}"]), f"rouge{n}"
    return lambda text, reference: float(scorer.score(reference, text)[kind].fmeasure)


def rouge_l() -> Metric:
    """rouge-score's ROUGE-L: the F-measure of the longest common subsequence of tokens.

    The subsequence's length is found by rapidfuzz, a thousand times faster; tokens and F-measure
    are rouge-score's.
    """
    from rapidfuzz.distance import LCSseq
    from rouge_score.scoring import fmeasure
    from rouge_score.tokenizers import DefaultTokenizer

    tokenizer = DefaultTokenizer()

    def metric(text: str, reference: str) -> float:
        tokens, wanted = tokenizer.tokenize(text), tokenizer.tokenize(reference)
        if not tokens or not wanted:
            return 0.0
        need(len(tokens) * len(wanted), MAX_ROUGE_L_PRODUCT, "tokens × tokens")
        # numbers in place of tokens: compared by value, not by a hash of each
        numbers = {token: i for i, token in enumerate(dict.fromkeys([*tokens, *wanted]))}
        length = LCSseq.similarity(_numbered(tokens, numbers), _numbered(wanted, numbers))
        return float(fmeasure(length / len(tokens), length / len(wanted)))

    return metric


def _numbered(tokens: Sequence[str], numbers: dict[str, int]) -> list[int]:
    return [numbers[token] for token in tokens]
