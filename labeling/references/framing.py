"""Which window of the film's picture the trailer shows: bars, other shapes, crops."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from labeling.references.footage import WHOLE, Box, Descriptors, Footage
from labeling.references.likeness import compare

PROBE = 12
"""Pictures, one second of them, by which framings are told apart."""
PROBES = 10
ZOOMS = (1.0, 0.92, 0.84, 0.76)
SHIFTS = (0.0, -0.5, 0.5)
SAME_SHAPE = 0.02
PROBE_PICTURE, PROBE_MOVEMENT = 0.55, 0.8
FOUND_ENOUGH = 3
"""So many probes that find themselves under the plain framing end the search; what is off a little is refined."""
LIKELY = 400
SAME_RENDER = 0.1
STEPS = (0.04, 0.02, 0.01, 0.005)
GAIN = 1e-3
SMALLEST = 0.25


@dataclass(frozen=True)
class Framing:
    """The same part of the picture in both, as windows in shares of each one's whole picture."""

    film: Box = WHOLE
    trailer: Box = WHOLE


@dataclass(frozen=True)
class _Found:
    """Frames [n, PROBE] that show the same in both under a framing, how alike they are, and what that is worth."""

    trailer: NDArray[np.int64]
    film: NDArray[np.int64]
    picture: NDArray[np.float32]
    score: float


def find_framing(film: Footage, trailer: Footage) -> Framing:
    """The framing under which most of the trailer finds itself in the film, to about 1 % of the picture's sides.

    One framing for the whole trailer; where nothing is found the plain one: both pictures whole, without their bars.
    """
    plain = _inside(Framing(film.box, trailer.box), film, trailer)
    probes = _probes(trailer)
    if not len(probes) or len(film.grid) < PROBE:
        return plain
    found, framing = _look(film, trailer, probes, plain), plain
    if len(found.film) < FOUND_ENOUGH:
        for other in _crops(film, trailer):
            under_other = _look(film, trailer, probes, other)
            if under_other.score > found.score:
                found, framing = under_other, other
    return _refined(film, trailer, found, framing) if len(found.film) else plain


def _probes(trailer: Footage) -> NDArray[np.int64]:
    """The frames [n, PROBE] of the runs that move most."""
    runs: list[NDArray[np.int64]] = []
    for start, end in trailer.shots:
        inside = trailer.grid[(trailer.grid > start) & (trailer.grid < end - 1)]
        runs += [inside[first : first + PROBE] for first in _middles(len(inside))]
    if not runs:
        return np.zeros((0, PROBE), np.int64)
    seen = trailer.described(np.concatenate(runs), trailer.clear).reshape(len(runs), PROBE, -1)
    moves = (seen * seen).sum(axis=(1, 2)) / PROBE - (seen.mean(axis=1) ** 2).sum(axis=1)
    return np.stack(runs)[np.argsort(-moves)[:PROBES]]


def _middles(count: int) -> list[int]:
    """Where probes begin in a shot of so many pictures: one in its middle, or one in each two seconds."""
    parts = max(1, count // (2 * PROBE))
    return [(count // parts) * part + (count // parts - PROBE) // 2 for part in range(parts)] if count >= PROBE else []


def _crops(film: Footage, trailer: Footage) -> Iterator[Framing]:
    """Smaller windows of the film's picture: of its own shape and of the trailer's, in the middle and beside it."""
    narrower = trailer.content_aspect / film.content_aspect
    shapes = [(1.0, 1.0)]
    if abs(narrower - 1) > SAME_SHAPE:
        shapes.append((min(1.0, 1 / narrower), min(1.0, narrower)))
    for height, width in shapes:
        for zoom in ZOOMS:
            for down in SHIFTS if zoom * height < 1 else (0.0,):
                for right in SHIFTS if zoom * width < 1 else (0.0,):
                    window = _window(zoom * height, zoom * width, down, right).inside(film.box)
                    yield _inside(Framing(window, trailer.box), film, trailer)


def _window(height: float, width: float, down: float, right: float) -> Box:
    """A window of this size; `down` and `right` from -1 to 1 say where in the room that is left."""
    top, left = (1 - height) / 2 * (1 + down), (1 - width) / 2 * (1 + right)
    return Box(top, top + height, left, left + width)


def _look(film: Footage, trailer: Footage, probes: NDArray[np.int64], framing: Framing) -> _Found:
    """Look for each probe in the whole film."""
    seen = film.described(film.grid, framing.film)
    runs = trailer.described(probes.reshape(-1), framing.trailer)
    room = len(seen) - PROBE + 1
    found: list[tuple[NDArray[np.int64], NDArray[np.int64], float, float]] = []
    table = (runs @ seen.T).reshape(*probes.shape, len(seen))
    for frames, run, rows in zip(probes, runs.reshape(*probes.shape, -1), table, strict=True):
        pictures = np.sum([row[k : k + room] for k, row in enumerate(rows)], axis=0) / PROBE
        at, picture, movement = _best(run, seen, pictures)
        if movement >= PROBE_MOVEMENT:
            found.append((frames, film.grid[at : at + PROBE], picture, movement))
    return _Found(
        np.array([frames for frames, *_ in found], np.int64).reshape(-1, PROBE),
        np.array([frames for _, frames, *_ in found], np.int64).reshape(-1, PROBE),
        np.array([picture for *_, picture, _ in found], np.float32),
        sum(picture + movement for *_, picture, movement in found),
    )


def _best(run: Descriptors, seen: Descriptors, pictures: NDArray[np.float32]) -> tuple[int, float, float]:
    """Where the film moves most like the run, among the places that look like it at all."""
    likely = np.flatnonzero(pictures >= max(PROBE_PICTURE, float(pictures.max()) - 0.2))
    if not len(likely):
        return 0, 0.0, 0.0
    likely = likely[np.argsort(-pictures[likely])[:LIKELY]]
    found = compare(run, seen[likely[:, None] + np.arange(PROBE)])
    top = int(np.argmax(found.movement))
    return int(likely[top]), float(found.picture[top]), float(found.movement[top])


def _refined(film: Footage, trailer: Footage, found: _Found, framing: Framing) -> Framing:
    """The framing with each side moved in ever smaller steps for as long as the best pairs get more alike.

    Pairs that are less alike than the others by far are another render or grade: they would bend the framing.
    """
    good = found.picture >= found.picture.max() - SAME_RENDER
    pairs = found.trailer[good], found.film[good]
    best = _alike(film, trailer, pairs, framing)
    for step in STEPS:
        improved = True
        while improved:
            improved = False
            for other in _neighbours(film, trailer, framing, step):
                alike = _alike(film, trailer, pairs, other)
                if alike > best + GAIN:
                    best, framing, improved = alike, other, True
    return framing


def _alike(
    film: Footage, trailer: Footage, pairs: tuple[NDArray[np.int64], NDArray[np.int64]], framing: Framing
) -> float:
    """Likeness of picture and of movement, summed."""
    shape = *pairs[0].shape, -1
    found = compare(
        film.described(pairs[1].reshape(-1), framing.film).reshape(shape),
        trailer.described(pairs[0].reshape(-1), framing.trailer).reshape(shape),
    )
    return float((found.picture + found.movement).mean())


def _neighbours(film: Footage, trailer: Footage, framing: Framing, step: float) -> Iterator[Framing]:
    """The film's window with one side moved, or all of it; where that leaves the film's picture, both are cut."""
    changes = ({"top"}, {"bottom"}, {"left"}, {"right"}, {"top", "bottom"}, {"left", "right"})
    for sides in changes:
        for by in (-step, step):
            window = replace(framing.film, **{side: getattr(framing.film, side) + by for side in sides})
            if min(window.height, window.width) >= SMALLEST:
                yield _inside(Framing(window, framing.trailer), film, trailer)


def _inside(framing: Framing, film: Footage, trailer: Footage) -> Framing:
    """The part of a framing that both have, in cells of their miniatures without a bar."""
    part = _part(framing.film, film.clear)
    framing = Framing(part.inside(framing.film), part.inside(framing.trailer))
    part = _part(framing.trailer, trailer.clear)
    return Framing(part.inside(framing.film), part.inside(framing.trailer))


def _part(window: Box, limit: Box) -> Box:
    """What of the window lies inside the limit, in shares of the window."""
    return Box(
        max(0.0, (limit.top - window.top) / window.height),
        min(1.0, (limit.bottom - window.top) / window.height),
        max(0.0, (limit.left - window.left) / window.width),
        min(1.0, (limit.right - window.left) / window.width),
    )
