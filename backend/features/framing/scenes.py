"""Dialogue scenes of two characters: medium close-ups of one and the other by turns, while somebody speaks.

After Moviegoer (Lee), who looked for A-B-A-B among stills; here among shots, with the persons by their faces.
"""

from collections.abc import Sequence
from dataclasses import dataclass

LEAST_TURNS = 4
"""A, B, A, B."""

LEAST_SPEECH = 0.2
"""Somebody speaks in so much of it."""

CUTAWAYS = 1
"""So many shots in a row may be something else (both of them, a hand, what they look at)."""


@dataclass(frozen=True)
class Portrait:
    """What counts of a shot. person: who its medium close-up shows, None where it is none or nobody is known.

    speech_s  seconds in which somebody speaks
    """

    start_s: float
    end_s: float
    person: int | None
    speech_s: float


@dataclass(frozen=True)
class DialogueScene:
    """Shots `[first_shot, end_shot)`; `turns` int: how often one or the other was seen; speech: share, 0 to 1.

    shots_of  for each of the two persons, by who is seen first, the shots that show them
    """

    first_shot: int
    end_shot: int
    start_s: float
    end_s: float
    persons: tuple[int, int]
    shots_of: tuple[tuple[int, ...], tuple[int, ...]]
    turns: int
    speech: float


@dataclass
class _Turn:
    """One person in shots that follow each other."""

    person: int
    shots: list[int]


def dialogue_scenes(shots: Sequence[Portrait]) -> list[DialogueScene]:
    """The dialogue scenes of a film, from its shots in order; none shares a shot with another."""
    found: list[DialogueScene] = []
    for stretch in _stretches(shots):
        begin = 0
        while begin < len(stretch):
            end = _alternating(stretch, begin)
            if end - begin >= LEAST_TURNS and (scene := _scene(shots, stretch[begin:end])).speech >= LEAST_SPEECH:
                found.append(scene)
                begin = end
            else:
                # Another pair may begin with the last turn of this one.
                begin = max(begin + 1, end - 1)
    return found


def scene_of_shots(scenes: Sequence[DialogueScene], shots: int) -> list[int | None]:
    """For each shot the number of the dialogue scene that it lies in, None outside."""
    numbers: list[int | None] = [None] * shots
    for number, scene in enumerate(scenes):
        numbers[scene.first_shot : scene.end_shot] = [number] * (scene.end_shot - scene.first_shot)
    return numbers


def _stretches(shots: Sequence[Portrait]) -> list[list[_Turn]]:
    """Turns without more than CUTAWAYS other shots between them."""
    stretches: list[list[_Turn]] = []
    last = -2 - CUTAWAYS
    for number, shot in enumerate(shots):
        if shot.person is None:
            continue
        if number - last - 1 > CUTAWAYS:
            stretches.append([])
        turns = stretches[-1]
        if turns and turns[-1].person == shot.person:
            turns[-1].shots.append(number)
        else:
            turns.append(_Turn(shot.person, [number]))
        last = number
    return stretches


def _alternating(turns: Sequence[_Turn], begin: int) -> int:
    """Where the turns of the first two persons from `begin` on end."""
    end = begin + 1
    while end < len(turns) and (end - begin < 2 or turns[end].person == turns[end - 2].person):
        end += 1
    return end


def _scene(shots: Sequence[Portrait], turns: Sequence[_Turn]) -> DialogueScene:
    first, end = turns[0].shots[0], turns[-1].shots[-1] + 1
    start_s, end_s = shots[first].start_s, shots[end - 1].end_s
    spoken_s = sum(shot.speech_s for shot in shots[first:end])
    seen = [tuple(number for turn in turns[who::2] for number in turn.shots) for who in (0, 1)]
    return DialogueScene(
        first_shot=first,
        end_shot=end,
        start_s=start_s,
        end_s=end_s,
        persons=(turns[0].person, turns[1].person),
        shots_of=(seen[0], seen[1]),
        turns=len(turns),
        speech=min(1.0, spoken_s / max(end_s - start_s, 1e-9)),
    )
