"""`selects reference`: trailers, promos and edit lists as labels; `align` needs no service."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

reference_app = typer.Typer(no_args_is_help=True, help="Where trailers and edits take their pictures from.")


@reference_app.callback()
def reference() -> None:
    """Where trailers and edits take their pictures from."""


@reference_app.command("align")
def align(
    film: Annotated[Path, typer.Argument(metavar="FILM", help="The film.")],
    trailer: Annotated[Path, typer.Argument(metavar="TRAILER", help="A trailer or promo of it.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Find which interval of the film each shot of a trailer shows; what is not sure is left out. Times in seconds."""
    from backend.settings import load_settings
    from backend.terminal import TerminalProgress
    from labeling.references.align import align as find_segments
    from labeling.references.watching import watch

    home = load_settings().home
    # Each has bars of its own: they are two films to whoever waits.
    with TerminalProgress() as progress:
        whole = watch(film, home, progress)
    with TerminalProgress() as progress:
        part = watch(trailer, home, progress)
    segments = find_segments(whole, part)
    if as_json:
        sys.stdout.write(json.dumps([segment.to_json() for segment in segments], indent=2) + "\n")
        return
    for found in segments:
        sys.stdout.write(
            f"trailer {found.trailer_start_s:8.2f} – {found.trailer_end_s:8.2f}   "
            f"film {found.film_start_s:8.2f} – {found.film_end_s:8.2f}   confidence {found.confidence:.2f}\n"
        )
    if not segments:
        sys.stderr.write("No shot of the trailer was found in the film for sure.\n")


@reference_app.command("add")
def add(
    movie: Annotated[str, typer.Argument(metavar="MOVIE", help="A film of the library: its number, title or path.")],
    file: Annotated[Path, typer.Argument(metavar="TRAILER_OR_EDIT", help="A trailer, or .edl .xml .fcpxml .otio.")],
    film_called: Annotated[
        str, typer.Option(metavar="NAME", help="What the edit calls the film, if not by its file's name.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Add a trailer or an edit to a film of the library: what it shows becomes labels. Waits until it is found."""
    from backend.opened import library_opened
    from backend.terminal_jobs import JobBars
    from labeling.references.adding import add_reference

    with library_opened() as resources, JobBars() as bars:
        reference, found = add_reference(resources, movie, file, film_called, bars)
    if as_json:
        shown = {"reference": reference.model_dump(mode="json"), "intervals": [one.model_dump() for one in found]}
        sys.stdout.write(json.dumps(shown, indent=2, default=str) + "\n")
        return
    for one in found:
        sys.stdout.write(f"film {one.start_s:8.2f} – {one.end_s:8.2f}   confidence {one.confidence:.2f}\n")
    if not found:
        sys.stderr.write("No part of it was found in the film for sure.\n")
