"""Whether a metric head may be promoted: a pure function of what was measured, with a reason for every no."""

from dataclasses import dataclass

from trainer.evaluate import Figure
from trainer.gate import Check, Verdict


@dataclass(frozen=True)
class MetricLimits:
    """What is asked of a head.

    pairs, corrections, films  least numbers to learn from and to judge by
    standing  least number of triplets of what stands
    spread    least standard deviation of likenesses
    worse     how much less of what stands may be right than with the plain embedding
    """

    pairs: int = 100
    corrections: int = 20
    films: int = 3
    standing: int = 50
    spread: float = 1e-3
    worse: float = 0.01


METRIC_LIMITS = MetricLimits()


@dataclass(frozen=True)
class MetricEvidence:
    """All that the gate looks at. Figures are differences to the head; None where there is nothing to tell by.

    frozen    to the plain embedding, on corrections of films that the head has not seen
    chance    likewise, to a head that was treated the same and learnt nothing
    standing  to the plain embedding, on what people have looked at and left
    champion  to the live head, None where there is none
    """

    pairs: int
    corrections: int
    films: int
    standing_count: int
    finite: bool
    spread: float
    frozen: Figure | None
    chance: Figure | None
    standing: Figure | None
    champion: Figure | None
    has_champion: bool


def judge_head(evidence: MetricEvidence, limits: MetricLimits = METRIC_LIMITS) -> Verdict:
    """The verdict: enough corrections, finite, not all alike, better on corrections, not worse on what stands."""
    checks = [
        *_counts(evidence, limits),
        Check("finite", evidence.finite, "All likenesses are numbers." if evidence.finite else "Some are not numbers."),
        Check(
            "not all alike", evidence.spread >= limits.spread,
            f"Likenesses vary by {evidence.spread:.2g}; {limits.spread:g} is the least.",
            evidence.spread, limits.spread,
        ),
        _better("the plain embedding", evidence.frozen),
        # What is corrected is what the embedding got wrong: any change of it, even a blind one, gets more of it right.
        _better("a head that learnt from sides drawn by lot", evidence.chance),
        _not_worse(evidence.standing, limits),
    ]  # fmt: skip
    if evidence.has_champion:
        checks.append(_better("the champion", evidence.champion))
    return Verdict(tuple(checks))


def _counts(evidence: MetricEvidence, limits: MetricLimits) -> list[Check]:
    asked = (
        ("pairs", evidence.pairs, limits.pairs, "pairs with a negative to judge by"),
        ("corrections", evidence.corrections, limits.corrections, "corrections that hold"),
        ("films", evidence.films, limits.films, "films with corrections"),
        ("what stands", evidence.standing_count, limits.standing, "comparisons within clusters that people reviewed"),
    )
    return [
        Check(name, have >= least, f"{have} {what}; {least} are needed.", have, least)
        for name, have, least, what in asked
    ]


def _better(rival: str, apart: Figure | None) -> Check:
    name = f"better than {rival}"
    if apart is None:
        return Check(name, False, f"Nothing was corrected in films that tell it apart from {rival}.")
    passed = apart.low > 0
    word = "surely better than" if passed else "not surely better than"
    return Check(
        name,
        passed,
        f"On corrections of films that it had not seen it is {word} {rival}: {_said(apart)}.",
        apart.low,
        0,
    )


def _not_worse(apart: Figure | None, limits: MetricLimits) -> Check:
    name = "not worse on what stands"
    if apart is None:
        return Check(name, False, "No cluster that people have reviewed says what is right already.")
    passed = apart.high >= 0 and apart.value >= -limits.worse
    word = "not worse than" if passed else "worse than"
    return Check(
        name, passed, f"On what people have looked at and left it is {word} the plain embedding: {_said(apart)}.",
        apart.value, -limits.worse,
    )  # fmt: skip


def _said(apart: Figure) -> str:
    share = f"{apart.value:+.3f} [{apart.low:+.3f}, {apart.high:+.3f}] of them put right"
    return f"{share}, {apart.n} of {apart.films} films"
