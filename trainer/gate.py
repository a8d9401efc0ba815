"""Whether a challenger may be promoted: a pure function of what was measured, with a reason for every no."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trainer.evaluate import Figure


@dataclass(frozen=True)
class Limits:
    """What is asked of a challenger.

    labels, each_answer, films  least numbers to learn from
    judged, judged_each, judged_films  least numbers of a set that decides
    spread     least standard deviation of its probabilities
    calibration_error  most, beyond what luck alone would show
    worse      how much less AUC than another's is still "not worse", where the interval reaches above 0
    """

    labels: int = 100
    each_answer: int = 20
    films: int = 3
    judged: int = 50
    judged_each: int = 10
    judged_films: int = 3
    spread: float = 1e-3
    calibration_error: float = 0.1
    worse: float = 0.01


LIMITS = Limits()
VIRAL_LIMITS = Limits(labels=50, each_answer=10)


@dataclass(frozen=True)
class JudgedSet:
    """What one set of held-out windows says.

    against   other → AUC of the challenger minus the other's, paired
    stale     decided so long ago that it must not block alone
    flattered the champion has learnt from these very windows: where another set is fair, this one must not block
    spare     looked at only where no other set is large enough
    """

    name: str
    about: str
    approved: int
    rejected: int
    films: int
    against: Mapping[str, Figure]
    calibration_error: float
    luck: float
    stale: bool = False
    flattered: bool = False
    spare: bool = False

    @property
    def fair(self) -> bool:
        """Whether it can decide: new enough, and not learnt by heart by one of the two."""
        return not (self.stale or self.flattered)


@dataclass(frozen=True)
class Evidence:
    """All that the gate looks at.

    boosting  whether it was compared, None where it is no rival
    sets      in the order in which they decide: the first that is large enough, and fair, counts
    """

    approved: int
    rejected: int
    films: int
    finite: bool
    spread: float
    boosting: bool | None
    sets: tuple[JudgedSet, ...]


@dataclass(frozen=True)
class Check:
    """One thing that was asked, the answer in words, and the numbers behind it."""

    name: str
    passed: bool
    said: str
    value: float | None = None
    limit: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        value = None if self.value is None else round(self.value, 6)
        return {"name": self.name, "passed": bool(self.passed), "said": self.said, "value": value, "limit": self.limit}


@dataclass(frozen=True)
class Verdict:
    """Passed only where every check did; `reasons` are what those said that did not."""

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether the challenger may be promoted."""
        return all(bool(check.passed) for check in self.checks)

    @property
    def reasons(self) -> list[str]:
        """Why not, a sentence each."""
        return [check.said for check in self.checks if not check.passed]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "passed": self.passed,
            "reasons": self.reasons,
            "checks": [check.to_json() for check in self.checks],
        }


def judge(evidence: Evidence, limits: Limits = LIMITS) -> Verdict:
    """The verdict: enough labels, finite, not constant, calibrated, better where it counts and nowhere worse."""
    checks = [*_counts(evidence, limits), *_sane(evidence, limits)]
    large = [found for found in evidence.sets if _is_large(found, limits)]
    if any(found.fair and not found.spare for found in large):
        large = [found for found in large if not found.spare]
    if not large:
        return Verdict((*checks, _nothing_to_judge_by(evidence, limits)))
    counting = _counting(large)
    checks.append(_calibrated(counting, limits))
    rivals = ("champion",) if any("champion" in found.against for found in large) else ("chance", "prior")
    for rival in rivals:
        if rival in counting.against:
            # The prior ranks without having learnt: it must be matched, chance and the champion must be beaten.
            known = _not_worse(counting, rival, limits) if rival == "prior" else _better(counting, rival)
            checks.append(known)
    for found in large:
        if found is not counting:
            checks += [_not_worse(found, rival, limits) for rival in rivals if rival in found.against]
    return Verdict(tuple(checks))


def _counting(large: list[JudgedSet]) -> JudgedSet:
    """The set that decides: the first that is fair, else the first that is not old."""
    ordered = sorted(large, key=lambda found: (not found.fair, found.stale))
    return ordered[0]


def _counts(evidence: Evidence, limits: Limits) -> list[Check]:
    labels = evidence.approved + evidence.rejected
    fewer = min(evidence.approved, evidence.rejected)
    return [
        Check(
            "labels", labels >= limits.labels, f"{labels} labels to learn from; {limits.labels} are needed.",
            labels, limits.labels,
        ),
        Check(
            "both answers", fewer >= limits.each_answer,
            f"{evidence.approved} approved and {evidence.rejected} rejected; {limits.each_answer} of each are needed.",
            fewer, limits.each_answer,
        ),
        Check(
            "films", evidence.films >= limits.films, f"Labels of {evidence.films} films; {limits.films} are needed.",
            evidence.films, limits.films,
        ),
    ]  # fmt: skip


def _sane(evidence: Evidence, limits: Limits) -> list[Check]:
    finite = "All probabilities are numbers." if evidence.finite else "Some probabilities are not numbers."
    constant = evidence.spread < limits.spread
    said = "It says nearly the same of every window" if constant else "It tells windows apart"
    checks = [
        Check("finite", evidence.finite, finite),
        Check(
            "not constant", not constant, f"{said} (standard deviation {evidence.spread:.2g}).",
            evidence.spread, limits.spread,
        ),
    ]  # fmt: skip
    if evidence.boosting is not None:
        waits = "Gradient boosting was not compared, because scikit-learn is not installed: the gate waits."
        said = "Gradient boosting was compared." if evidence.boosting else waits
        checks.append(Check("boosting", evidence.boosting, said))
    return checks


def _is_large(found: JudgedSet, limits: Limits) -> bool:
    return (
        found.approved + found.rejected >= limits.judged
        and min(found.approved, found.rejected) >= limits.judged_each
        and found.films >= limits.judged_films
    )


def _nothing_to_judge_by(evidence: Evidence, limits: Limits) -> Check:
    there = "; ".join(
        f"{found.name}: {found.approved} approved and {found.rejected} rejected in {found.films} films"
        for found in evidence.sets
    )
    return Check(
        "held-out labels",
        False,
        f"Too little to test on ({there or 'nothing'}): {limits.judged} labels, {limits.judged_each} of each answer, "
        f"in {limits.judged_films} films are needed.",
    )


def _calibrated(found: JudgedSet, limits: Limits) -> Check:
    beyond = found.calibration_error - found.luck
    said = (
        f"On {found.about} its probabilities are off by {found.calibration_error:.3f} on average, of which luck alone "
        f"explains {found.luck:.3f}; {limits.calibration_error:g} beyond that is the most."
    )
    return Check(
        f"calibration: {found.name}", beyond <= limits.calibration_error, said, beyond, limits.calibration_error
    )


def _better(found: JudgedSet, rival: str) -> Check:
    apart = found.against[rival]
    passed = apart.low > 0
    word = "surely better than" if passed else "not surely better than"
    return Check(f"better than {rival}: {found.name}", passed, _said(found, word, rival), apart.low, 0.0)


def _not_worse(found: JudgedSet, rival: str, limits: Limits) -> Check:
    apart = found.against[rival]
    passed = apart.high >= 0 and apart.value >= -limits.worse
    word = "not worse than" if passed else "worse than"
    if not found.fair:
        kind, why = ("old", "These labels are old") if found.stale else ("flattered", "The champion knows these labels")
        said = f"{_said(found, word, rival)} {why}: they are shown, and do not block alone."
        return Check(f"{kind}, not worse than {rival}: {found.name}", True, said, apart.value, -limits.worse)
    return Check(f"not worse than {rival}: {found.name}", passed, _said(found, word, rival), apart.value, -limits.worse)


def _said(found: JudgedSet, word: str, rival: str) -> str:
    apart = found.against[rival]
    who = {"champion": "the champion", "prior": "the documented prior"}.get(rival, rival)
    return (
        f"On {found.about} it is {word} {who}: AUC {apart.value:+.3f} [{apart.low:+.3f}, {apart.high:+.3f}], "
        f"{apart.n} labels of {apart.films} films."
    )
