"""`selects features`: which pretrained models there are, and the vectors of a catalogue of titles."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backend import options

if TYPE_CHECKING:
    from backend.analysis.catalogue.extract import Extraction, Request

features_app = typer.Typer(no_args_is_help=True, help="Pretrained models, and features of a catalogue of titles.")


@features_app.callback()
def features() -> None:
    """Pretrained models, and features of a catalogue of titles."""


@features_app.command("models")
def features_models(as_json: options.AsJson = False) -> None:
    """List every model: what it is for, its size, its licence, and whether its weights are here."""
    from backend.features.models import list_models
    from backend.settings import load_settings

    settings = load_settings()
    rows = list_models({name: str(path) for name, path in settings.models.paths.items()}, settings.home / "networks")
    if as_json:
        _print_json([row.to_json() for row in rows])
        return
    from backend.terminal import show_models

    show_models(rows)


@features_app.command("extract")
def features_extract(
    modality: Annotated[str, typer.Option(metavar="NAME", help="text, image, audio or video.")],
    model: Annotated[
        str, typer.Option(metavar="NAME", help="A model of that modality: see `selects features models`.")
    ],
    source: Annotated[
        Path,
        typer.Option(
            "--in",
            metavar="DIR|TABLE",
            help="A folder of files or folders named by id, or a table (.csv, .jsonl, .parquet) with id, plot, poster, "
            "trailer or film.",
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where vectors go; a stopped run goes on from there.")],
    format_: Annotated[
        str, typer.Option("--format", metavar="NAME", help="json (a file for each id), parquet or h5 (one table).")
    ] = "json",
    seconds: Annotated[str, typer.Option(metavar="N|all", help="How much of the sound is heard.")] = "30",
    as_json: options.AsJson = False,
) -> None:
    """Turn the plots, posters, sound or films of a catalogue into vectors."""
    from backend.analysis.catalogue.extract import extract
    from backend.analysis.catalogue.progress import ExtractionBars
    from backend.settings import load_settings

    settings = load_settings()
    request = _request(modality, model, source, out, format_, seconds)
    models, cache = settings.models, settings.home / "networks"
    with ExtractionBars(f"{request.modality} {request.model}") as bars:
        made = extract(request, paths=models.paths, cache=cache, offline=models.offline, report=bars.begin)
    if as_json:
        _print_json(made.to_json())
    else:
        _show(made, request)


def _request(modality: str, model: str, source: Path, out: Path, format_: str, seconds: str) -> "Request":
    """The call as values; raises UnknownName, InputError."""
    from backend.analysis.catalogue.extract import Request
    from backend.analysis.catalogue.outputs import Format
    from backend.errors import InputError, UnknownName
    from backend.features.catalogue.registry import model_named

    found = model_named(modality, model)
    if format_ not in list(Format):
        raise UnknownName("format", format_, list(Format))
    try:
        heard = None if seconds == "all" else float(seconds)
    except ValueError:
        heard = 0.0
    if heard is not None and not 0 < heard < float("inf"):
        raise InputError(f"--seconds takes a number above 0 or 'all', not {seconds!r}.")
    return Request(found.modality, found.name, source, out, Format(format_), heard)


def _show(made: "Extraction", request: "Request") -> None:
    """What was done, on standard output; what was not, on standard error."""
    out = request.out
    written = out if request.format == "json" else out / f"features.{request.format}"
    if made.done:
        timing = made.timing
        speed = f"{timing.titles / timing.wall_s:,.1f} a second on {made.device}, {timing.share:.0%} inside the model"
        whole = f"{made.done - timing.skipped:,} of {made.titles:,} titles"
        sys.stdout.write(f"{whole} in {timing.wall_s:,.1f} s ({speed}) → {written}\n")
    else:
        sys.stdout.write(f"Nothing to do: all {made.titles:,} titles were done or skipped before → {written}\n")
    if made.skipped:
        sys.stderr.write(f"Skipped: {made.skipped:,}; which and why is in {out / 'skipped.csv'}.\n")


def _print_json(value: object) -> None:
    plain = sys.stdout.encoding.lower() not in ("utf-8", "utf8")
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=plain, allow_nan=False) + "\n")
