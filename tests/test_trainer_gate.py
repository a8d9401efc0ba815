"""The gate: a pure function of what was measured; every no has a reason."""

from dataclasses import replace

import pytest

from trainer.evaluate import Figure
from trainer.gate import Evidence, JudgedSet, judge


def apart(value: float, reach: float = 0.02) -> Figure:
    return Figure(value, value - reach, value + reach, 300, 8)


def judged(name: str, **against: Figure) -> JudgedSet:
    return JudgedSet(name, f"set {name}", 120, 180, 8, {"chance": apart(0.2), **against}, 0.04, 0.03)


GOOD = Evidence(300, 500, 12, True, 0.2, True, (judged("random"), judged("holdout")))


def test_a_good_one_passes_and_says_what_was_asked() -> None:
    verdict = judge(GOOD)
    assert verdict.passed
    assert verdict.reasons == []
    names = [check.name for check in verdict.checks]
    assert "better than chance: random" in names
    assert "not worse than chance: holdout" in names
    assert all(check["passed"] is True for check in verdict.to_json()["checks"])


REFUSED = {
    "few labels": ({"approved": 30, "rejected": 60}, "90 labels to learn from; 100 are needed"),
    "one answer": ({"approved": 5}, "5 approved and 500 rejected; 20 of each"),
    "few films": ({"films": 2}, "2 films; 3 are needed"),
    "not finite": ({"finite": False}, "not numbers"),
    "constant": ({"spread": 1e-6}, "nearly the same of every window"),
    "no boosting": ({"boosting": False}, "scikit-learn is not installed: the gate waits"),
    "nothing held out": ({"sets": ()}, "Too little to test on (nothing)"),
    "too little held out": ({"sets": (replace(judged("films"), films=2),)}, "Too little to test on (films"),
    "not calibrated": ({"sets": (replace(judged("films"), calibration_error=0.2),)}, "off by 0.200"),
    "not above chance": ({"sets": (judged("films", chance=apart(0.01)),)}, "not surely better than chance"),
    "below the prior": ({"sets": (judged("films", prior=apart(-0.05)),)}, "worse than the documented prior"),
    "as good as the champion": (
        {"sets": (judged("films", champion=apart(0.01)),)},
        "not surely better than the champion",
    ),
}


@pytest.mark.parametrize(("change", "says"), REFUSED.values(), ids=REFUSED)
def test_each_refusal_has_its_reason(change: dict, says: str) -> None:
    verdict = judge(replace(GOOD, **change))
    assert not verdict.passed
    assert [reason for reason in verdict.reasons if says in reason]
    assert len(verdict.reasons) == 1


def test_both_sets_have_a_say() -> None:
    better = judged("random", champion=apart(0.05))
    worse = judged("holdout", champion=apart(-0.05))
    assert judge(replace(GOOD, sets=(better, judged("holdout", champion=apart(0.0))))).passed
    refused = judge(replace(GOOD, sets=(better, worse)))
    assert refused.reasons == [
        "On set holdout it is worse than the champion: AUC -0.050 [-0.070, -0.030], 300 labels of 8 films."
    ]
    turned = (judged("random", champion=apart(-0.05)), judged("holdout", champion=apart(0.05)))
    assert not judge(replace(GOOD, sets=turned)).passed


def test_an_old_holdout_is_shown_and_does_not_block_alone() -> None:
    old = replace(judged("holdout", champion=apart(-0.05)), stale=True)
    better = judged("random", champion=apart(0.05))
    verdict = judge(replace(GOOD, sets=(better, old)))
    assert verdict.passed
    assert any("-0.050" in check.said and "old" in check.said for check in verdict.checks)
    spare = replace(judged("films", champion=apart(0.05)), spare=True)
    assert judge(replace(GOOD, sets=(old, spare))).passed, "where little was asked by chance, all other films count"
    assert not judge(replace(GOOD, sets=(old,))).passed


def test_spare_films_are_judged_only_where_nothing_else_is_large() -> None:
    spare = replace(judged("films", champion=apart(-0.3)), spare=True)
    assert judge(replace(GOOD, sets=(judged("holdout", champion=apart(0.05)), spare))).passed
    small = replace(judged("holdout", champion=apart(0.05)), films=1)
    assert not judge(replace(GOOD, sets=(small, spare))).passed


def test_with_a_champion_chance_is_not_asked() -> None:
    found = judge(replace(GOOD, sets=(judged("films", champion=apart(0.05), chance=apart(0.0)),)))
    assert found.passed


def test_what_the_champion_knows_by_heart_does_not_block_where_something_is_fair() -> None:
    known = replace(judged("random", champion=apart(-0.2)), flattered=True)
    fair = judged("films", champion=apart(0.05))
    verdict = judge(replace(GOOD, sets=(known, fair)))
    assert verdict.passed
    assert any("-0.200" in check.said and "knows these labels" in check.said for check in verdict.checks)
    assert judge(replace(GOOD, sets=(known, replace(fair, spare=True)))).passed
    assert not judge(replace(GOOD, sets=(known,))).passed, "where nothing is fair, it decides all the same"
    assert not judge(replace(GOOD, sets=(known, judged("films", champion=apart(0.0))))).passed
