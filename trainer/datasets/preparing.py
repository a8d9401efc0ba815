"""`selects dataset condensed-movies prepare` from its options to what it reports."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from backend.errors import InputError
from backend.features.registry import profile_named
from backend.settings import Settings
from trainer.datasets.condensed_movies import FILES, Dataset, read_dataset
from trainer.datasets.finding import Found, locate_clips
from trainer.datasets.given import Given, read_given
from trainer.datasets.labelled import Analyser, Labelled, analyser, from_clip_files, from_films, from_given_clips
from trainer.datasets.owned import Owned, owned_files
from trainer.datasets.progress import PreparingBars
from trainer.datasets.published import fetched, is_address
from trainer.datasets.summary import summary, write_clips
from trainer.snapshot import write_snapshot

METADATA_ALONE = (
    "There is nothing to train on: titles, casts and descriptions say nothing of how a clip looks or sounds, and are "
    "never made into features; give --features or --videos."
)
POSITIVES_ALONE = (
    "The snapshot has positives alone: without the films that the clips were cut from there are no negatives, and "
    "none are made up; nothing can be trained on it until films are in --videos."
)
CLIPS_UNUSED = "Features of clips are not used beside those of their films: the two were made from different files."


@dataclass(frozen=True)
class Request:
    """What is asked for. `source` is a folder or an address; `snapshot` the folder to write a snapshot into."""

    source: str
    out: Path
    features: Path | None = None
    videos: Path | None = None
    snapshot: Path | None = None
    profile: str = "embedded"


@dataclass
class Prepared:
    """What came of it: the counts, where clips lie in their films, the snapshot's folder, what to know of it."""

    counted: dict[str, Any]
    found: Found
    snapshot: Path | None = None
    labels: dict[str, int] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def to_json(self, out: Path) -> dict[str, Any]:
        """All of it as plain values."""
        return self.counted | {
            "file": str(out),
            "located": {videoid: place.to_json() for videoid, place in self.found.located.items()},
            "not_located": self.found.not_located,
            "snapshot": None if self.snapshot is None else str(self.snapshot),
            "labels": self.labels,
            "left_out": dict(self.left_out),
            "notes": self.notes,
        }


def work_folder(home: Path) -> Path:
    """Where everything made for this data set is kept."""
    return home / "datasets" / "condensed-movies"


def prepare(request: Request, settings: Settings, bars: PreparingBars) -> Prepared:
    """Read, check, join, locate and write; what is finished is kept, and the next call goes on from there.

    Raises InputError, Unavailable, OutputError.
    """
    if request.snapshot and not request.features and not request.videos:
        raise InputError(METADATA_ALONE)
    if request.out.suffix.lower() != ".parquet":
        raise InputError(f"The clips are written as Parquet: --out must end in .parquet, not {request.out.name!r}.")
    profile_named(request.profile)  # an unknown one is said before any work
    folder = Path(request.source)
    if is_address(request.source):
        names = [f"{name}.csv" for name in FILES]
        folder = fetched(request.source, names, work_folder(settings.home) / "metadata", bars)
    dataset = read_dataset(folder)
    write_clips(request.out, dataset, {})  # before the long work: a place that cannot be written is said at once
    given = _given(request, dataset, bars)
    owned = owned_files(request.videos, dataset) if request.videos else Owned({}, {}, 0)
    found = locate_clips(dataset, owned, work_folder(settings.home), settings.home, bars)
    if found.located:
        write_clips(request.out, dataset, found.located)
    prepared = Prepared(summary(dataset), found)
    if given:
        prepared.counted["features"] = {"clips": len(given.clips), "films": len(given.films)}
        prepared.left_out = given.left_out
    if request.videos:
        prepared.counted["videos"] = {"clips": len(owned.clips), "films": len(owned.films), "other": owned.other}
    if request.snapshot:
        if given and found.located and not given.films:
            prepared.notes.append(CLIPS_UNUSED)
        look = analyser(settings, request.profile, bars)
        _keep(prepared, request.snapshot, _labelled(_Here(dataset, owned, found, given), request.profile, look))
    return prepared


@dataclass(frozen=True)
class _Here:
    """All that there is to learn from."""

    dataset: Dataset
    owned: Owned
    found: Found
    given: Given | None


def _given(request: Request, dataset: Dataset, bars: PreparingBars) -> Given | None:
    if not request.features:
        return None
    return read_given(request.features, {clip.videoid for clip in dataset.clips}, dataset.films.keys(), bars)


def _labelled(here: _Here, profile: str, look: Analyser) -> Labelled:
    """From films where clips were located in them; else positives alone, from given features or the clips' files."""
    given = here.given
    if here.found.located:
        of_films = given if given and given.films else None
        return from_films(here.dataset, here.owned, here.found.located, of_films, profile, look)
    if given and given.clips:
        return from_given_clips(here.dataset, given)
    if here.owned.clips:
        return from_clip_files(here.dataset, here.owned, profile, look)
    raise InputError(
        "There is no labelled window: no published clip is here, neither as a file nor as features, and a film alone "
        "does not say which parts of it were published."
    )


def _keep(prepared: Prepared, folder: Path, labelled: Labelled) -> None:
    snapshot = labelled.snapshot
    prepared.snapshot = write_snapshot(folder, snapshot)
    prepared.left_out = labelled.left_out
    positives = int(np.sum(snapshot.labels == 1))
    prepared.labels = {"positives": positives, "negatives": len(snapshot) - positives}
    prepared.labels["films"] = len(set(snapshot.movies.tolist()))
    if positives == len(snapshot):
        prepared.notes.append(POSITIVES_ALONE)
