"""From the rows of the database to a snapshot: a folder that training needs and nothing else."""

import os
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from sqlmodel import Session, col, select

from backend.analysis.vectors import shot_vectors
from backend.features.registry import profile_named
from backend.features.schema import FeatureSchema
from backend.features.store import FeatureStore
from backend.library.models import Candidate, Movie
from backend.resources import Resources
from backend.scoring.pooling import window_vectors
from backend.scoring.presets import plain
from backend.store.media import publish
from labeling.decisions.models import CHOSEN, Decision
from labeling.engagement.models import Engagement
from labeling.references.weak import labels_of_project
from trainer.material.holdout import holdout
from trainer.material.priors import priors_of
from trainer.material.standing import (
    MANUAL,
    MANUAL_WEIGHT,
    Decided,
    Label,
    joined,
    labels_of_decisions,
    window_of,
)
from trainer.material.viral import Measured, viral_labels, viral_targets
from trainer.snapshot import UNLABELLED, Snapshot, make_snapshot, write_snapshot

NO_FILM = "its film is not in the library"
NO_FEATURES = "its film has no features of this profile"
OUTSIDE = "it does not lie in its film"


@dataclass(frozen=True)
class _Part:
    """Windows of one film: vectors [W, D], seconds [W, 2], and by name what the priors say of them [W]."""

    vectors: NDArray[np.float32]
    seconds: NDArray[np.float64]
    priors: Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Frozen:
    """A snapshot as it lies in its folder. `left_out`: why → how many labels (`called`) have no place in it."""

    folder: Path
    id: str
    labels: int
    films: int
    left_out: Mapping[str, int]
    called: str = "labels"

    @property
    def note(self) -> str:
        """What was left out, for a person; "" where nothing was."""
        return "; ".join(f"{count} {self.called} were left out: {why}" for why, count in sorted(self.left_out.items()))


def snapshots_folder(home: Path) -> Path:
    """Where snapshots lie, a folder each."""
    return home / "snapshots"


def freeze(resources: Resources, project_id: int) -> Frozen:
    """Write all labels of a project with the features of their windows; the same labels give the same folder.

    Raises OutputError.
    """
    with Session(resources.reading) as session:
        labels = labels_of(session, resources, project_id)
        movies = session.exec(select(Movie).where(col(Movie.project_id) == project_id)).all()
        films = {movie.sha256: movie for movie in movies if movie.sha256}
        snapshot, left_out = _snapshot(session, resources, labels, films)
    folder = write_snapshot(snapshots_folder(resources.home), snapshot)
    publish(folder)
    os.utime(folder)  # old ones are tidied away, and this may have been there
    known = snapshot.labels != UNLABELLED
    return Frozen(folder, folder.name, int(known.sum()), len(set(snapshot.movies[known])), left_out)


def labels_of(session: Session, resources: Resources, project_id: int) -> list[Label]:
    """Everything that is known of windows of a project, sorted by window: decisions before all that weighs less."""
    of_project = col(Candidate.project_id) == project_id, col(Candidate.source) == "manual"
    manual = session.connection().execute(
        select(  # type: ignore[call-overload]
            *(col(Candidate.id), col(Candidate.decided), col(Candidate.created_at)),
            *(col(Candidate.movie_sha256), col(Candidate.start_frame), col(Candidate.end_frame)),
        ).where(*of_project)
    )
    by_hand = manual.all()
    viral = viral_targets(_measurements(session, project_id))
    return joined(
        (
            labels_of_decisions(_decisions(session, project_id), frozenset(row.id for row in by_hand)),
            [_cut_by_hand(row) for row in by_hand if not row.decided],
            _references(session, resources, project_id),
        ),
        viral_labels(viral),
    )


def _decisions(session: Session, project_id: int) -> list[Decided]:
    columns = (
        *(col(Decision.id), col(Decision.candidate_id), col(Decision.curator), col(Decision.verdict)),
        *(col(Decision.undoes_id), col(Decision.trim_start_frame), col(Decision.trim_of_id)),
        *(col(Decision.movie_sha256), col(Decision.start_frame), col(Decision.end_frame)),
        *(col(Decision.strategy), col(Decision.propensity), col(Decision.decided_at)),
    )
    wanted = select(*columns).where(col(Decision.project_id) == project_id)  # type: ignore[call-overload]
    return cast("list[Decided]", list(session.connection().execute(wanted.order_by(col(Decision.id))).all()))


def _measurements(session: Session, project_id: int) -> list[Measured]:
    found = session.exec(select(Engagement).where(col(Engagement.project_id) == project_id))
    return cast("list[Measured]", list(found.all()))


def _cut_by_hand(row: Any) -> Label:
    """Somebody took the trouble to cut it, and nobody has judged it."""
    return Label(window_of(row), 1, MANUAL_WEIGHT, MANUAL, CHOSEN, decided_at=row.created_at.timestamp())


def _references(session: Session, resources: Resources, project_id: int) -> list[Label]:
    return [
        Label((film.movie_sha256, one.start_frame, one.end_frame), one.label, one.weight, one.source)
        for film in labels_of_project(session, resources, project_id)
        for one in film.labels
    ]


def _snapshot(
    session: Session, resources: Resources, labels: Sequence[Label], films: Mapping[str, Movie]
) -> tuple[Snapshot, Counter[str]]:
    """Labels with the features of their windows, in the order of `labels`; and what was left out, by reason."""
    asked = resources.settings.analysis
    schema = profile_named(asked.profile).schema_for(framing=asked.framing)
    store, left_out = FeatureStore(resources.home / "features"), Counter[str]()
    by_film: defaultdict[str, list[Label]] = defaultdict(list)
    for label in labels:
        by_film[label.window[0]].append(label)
    kept: list[Label] = []
    parts: list[_Part] = []
    for sha256, own in by_film.items():
        movie = films.get(sha256)
        found = None if movie is None else shot_vectors(session, store, movie, schema)
        if movie is None or found is None:
            left_out[NO_FILM if movie is None else NO_FEATURES] += len(own)
            continue
        windows = np.array([label.window[1:] for label in own], np.int64)
        vectors, seconds, inside = window_vectors(*found, windows)
        left_out[OUTSIDE] += int((~inside).sum())
        kept += [label for label, fits in zip(own, inside.tolist(), strict=True) if fits]
        priors = priors_of(resources, movie, windows[inside])
        parts.append(_Part(vectors[inside], seconds[inside], priors))
    return _table(kept, parts, films, schema), +left_out


def _table(
    labels: Sequence[Label],
    parts: Sequence[_Part],
    films: Mapping[str, Movie],
    schema: FeatureSchema,
) -> Snapshot:
    seconds = np.concatenate([np.zeros((0, 2)), *(part.seconds for part in parts)])
    out = holdout({label.window[0] for label in labels if label.label != UNLABELLED})
    genres = {sha256: tuple(sorted({plain(name) for name in movie.genres})) for sha256, movie in films.items()}
    return make_snapshot(
        schema,
        [label.window_id for label in labels],
        [label.window[0] for label in labels],
        np.concatenate([np.zeros((0, schema.dimension), np.float32), *(part.vectors for part in parts)]),
        start_s=seconds[:, 0],
        end_s=seconds[:, 1],
        labels=[label.label for label in labels],
        weights=[label.weight for label in labels],
        sources=[label.source for label in labels],
        strategies=[label.strategy for label in labels],
        propensities=_numbers([label.propensity for label in labels]),
        genres=[genres[label.window[0]] for label in labels],
        decided_at=_numbers([label.decided_at for label in labels]),
        viral=_numbers([label.viral for label in labels]),
        prior=np.concatenate([np.zeros(0), *(part.priors["compelling"] for part in parts)]),
        viral_prior=np.concatenate([np.zeros(0), *(part.priors["viral"] for part in parts)]),
        holdout=[label.window[0] in out for label in labels] if out else None,
    )


def _numbers(values: Sequence[float | None]) -> NDArray[np.float64]:
    return np.array([np.nan if value is None else value for value in values], np.float64)
