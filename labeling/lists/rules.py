"""What a rule picks of approved clips: values in, values out.

The best that fits is taken, then the next best, until there are enough: a clip that would break the rule is passed
over, a later one may fit. Clips that people put into the list by hand count as picked before.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Wish:
    """What is wanted; None and 0 do not narrow. See `shapes.Rule`."""

    count: int = 8
    per_scene: int | None = None
    per_film: int | None = None
    total_s: float | None = None
    min_score: float | None = None
    min_s: float | None = None
    max_s: float | None = None
    apart_s: float = 0.0
    order: str = "score"


@dataclass(frozen=True)
class Clip:
    """An approved clip, or one that is in the list by hand. `score` None: nothing has scored it."""

    id: int
    film: int
    scene: int
    start_s: float
    end_s: float
    score: float | None = None

    @property
    def duration_s(self) -> float:
        """How long it is."""
        return self.end_s - self.start_s


@dataclass(frozen=True)
class Pick:
    """What was picked, in the rule's order, and how many others were passed over, by reason."""

    clips: tuple[Clip, ...]
    left_out: dict[str, int] = field(default_factory=dict)


TOLERANCE_S = 1e-6


def pick(wish: Wish, clips: Sequence[Clip], by_hand: Sequence[Clip] = ()) -> Pick:
    """The clips that a rule puts into a list besides those that are there by hand; none of these again."""
    taken, picked, left = list(by_hand), list[Clip](), Counter[str]()
    known = {clip.id for clip in by_hand}
    for clip in sorted((each for each in clips if each.id not in known), key=_best_first):
        why = _why_not(wish, clip, taken)
        if why:
            left[why] += 1
            continue
        taken.append(clip)
        picked.append(clip)
    return Pick(in_order(wish, picked), dict(left))


def in_order(wish: Wish, clips: Sequence[Clip]) -> tuple[Clip, ...]:
    """Clips as the rule orders them: the best first, or by film and time."""
    by_film = wish.order == "film"
    return tuple(sorted(clips, key=(lambda c: (c.film, c.start_s, c.id)) if by_film else _best_first))


def _best_first(clip: Clip) -> tuple[bool, float, int, float, int]:
    """Those without a score come last."""
    return clip.score is None, -(clip.score or 0.0), clip.film, clip.start_s, clip.id


def _why_not(wish: Wish, clip: Clip, taken: Sequence[Clip]) -> str:
    """Why a clip is passed over; "" where it is picked."""
    if said := _unfit(wish, clip):
        return said
    if len(taken) >= wish.count:
        return f"the list has its {wish.count} clips"
    same_film = [each for each in taken if each.film == clip.film]
    if wish.per_film is not None and len(same_film) >= wish.per_film:
        return f"more than {wish.per_film} of one film"
    if wish.per_scene is not None and sum(each.scene == clip.scene for each in same_film) >= wish.per_scene:
        return f"more than {wish.per_scene} of one scene"
    if any(_overlap(clip, each) for each in same_film):
        return "it overlaps one that is in the list"
    if wish.apart_s and any(_gap_s(clip, each) < wish.apart_s - TOLERANCE_S for each in same_film):
        return f"less than {wish.apart_s:g} s from one that is in the list"
    total_s = sum(each.duration_s for each in taken) + clip.duration_s
    if wish.total_s is not None and total_s > wish.total_s + TOLERANCE_S:
        return f"the list would be longer than {wish.total_s:g} s"
    return ""


def _unfit(wish: Wish, clip: Clip) -> str:
    if wish.min_score is not None and (clip.score is None or clip.score < wish.min_score):
        return f"its score is below {wish.min_score:g}" if clip.score is not None else "nothing has scored it"
    if wish.min_s is not None and clip.duration_s < wish.min_s - TOLERANCE_S:
        return f"shorter than {wish.min_s:g} s"
    if wish.max_s is not None and clip.duration_s > wish.max_s + TOLERANCE_S:
        return f"longer than {wish.max_s:g} s"
    return ""


def _overlap(one: Clip, other: Clip) -> bool:
    return one.start_s < other.end_s - TOLERANCE_S and other.start_s < one.end_s - TOLERANCE_S


def _gap_s(one: Clip, other: Clip) -> float:
    return max(one.start_s - other.end_s, other.start_s - one.end_s)
