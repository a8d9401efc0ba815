"""`selects dataset`: published data sets as tables and, where there is more than metadata, as snapshots."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backend import options

if TYPE_CHECKING:
    from trainer.datasets.preparing import Prepared

dataset_app = typer.Typer(no_args_is_help=True, help="Published data sets.")
condensed_app = typer.Typer(no_args_is_help=True, help="Condensed Movies (Bain and others, 2020).")
dataset_app.add_typer(condensed_app, name="condensed-movies")


@dataset_app.callback()
def dataset() -> None:
    """Published data sets."""


@condensed_app.callback()
def condensed_movies() -> None:
    """Condensed Movies (Bain and others, 2020): 34,000 published clips of 3,600 films."""


@condensed_app.command("prepare")
def prepare(
    source: Annotated[str, typer.Option("--from", metavar="DIR|URL", help="The published CSV files.")],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The Parquet file, one row a clip (default: in SELECTS_HOME).")
    ] = None,
    features: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Features you have: .npy, .npz or .parquet named by video or IMDb id."),
    ] = None,
    videos: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Clips (VIDEOID.mkv) and whole films (IMDBID.mp4); clips are located in them."
        ),
    ] = None,
    snapshot: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write a snapshot to train on into this folder.")
    ] = None,
    profile: options.Profile = "embedded",
    as_json: options.AsJson = False,
) -> None:
    """Check and join the published files, say what is there, and locate the clips you hold in the films you hold."""
    from backend.settings import load_settings
    from trainer.datasets.preparing import Request, work_folder
    from trainer.datasets.preparing import prepare as run
    from trainer.datasets.progress import PreparingBars
    from trainer.datasets.summary import show

    settings = load_settings()
    out = out or work_folder(settings.home) / "clips.parquet"
    with PreparingBars() as bars:
        prepared = run(Request(source, out, features, videos, snapshot, profile), settings, bars)
    if as_json:
        sys.stdout.write(json.dumps(prepared.to_json(out), indent=2, allow_nan=False) + "\n")
        return
    show(prepared.counted)
    _show_found(prepared)
    sys.stdout.write(f"{prepared.counted['clips']:,} clips → {out}\n")
    for note in prepared.notes:
        sys.stderr.write(f"Note: {note}\n")


def _show_found(prepared: "Prepared") -> None:
    """Where clips lie, why others could not be located, and what the snapshot holds."""
    for videoid, place in prepared.found.located.items():
        sys.stdout.write(
            f"{videoid}   film {place.film_start_s:8.2f} – {place.film_end_s:8.2f}   "
            f"clip {place.clip_start_s:7.2f} – {place.clip_end_s:7.2f}   confidence {place.confidence:.2f}\n"
        )
    for videoid, why in prepared.found.not_located.items():
        sys.stderr.write(f"{videoid} is not located: {why}\n")
    for why, count in prepared.left_out.items():
        sys.stderr.write(f"Left out: {count} {why}.\n")
    if prepared.snapshot:
        labels = prepared.labels
        sys.stdout.write(
            f"{labels['positives']} positives and {labels['negatives']} negatives of {labels['films']} films "
            f"→ {prepared.snapshot}\n"
        )
