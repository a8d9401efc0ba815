"""`selects decisions`: out of the database and into it, from the machine that holds it."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from backend.errors import InputError
from backend.opened import project_opened, write_lines

decisions_app = typer.Typer(no_args_is_help=True, help="What curators decided, out and in.")

ProjectId = Annotated[int, typer.Option(min=1, metavar="ID", help="The project's id.")]
SHOWN = 20


@decisions_app.callback()
def decisions() -> None:
    """What curators decided, out and in."""


@decisions_app.command("export")
def export(
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Where to write (default: print).")] = None,
    form: Annotated[str, typer.Option("--format", metavar="NAME", help="jsonl, csv or label-studio.")] = "",
    films: Annotated[
        str, typer.Option(metavar="PREFIX", help="For Label Studio: what stands before the names of film files there.")
    ] = "",
    project: ProjectId = 1,
) -> None:
    """Write all decisions of a project; the format is that of the file's ending where it is not named."""
    from backend.errors import UnknownName
    from backend.up import address
    from labeling.decisions.exporting import FORMATS
    from labeling.decisions.labelstudio import Films

    form = form or _format_of(out, "jsonl")
    if form not in FORMATS:
        raise UnknownName("format", form, FORMATS)
    with project_opened(project) as resources:
        lines = FORMATS[form][0](resources.reading, project, Films(address(resources.settings), films))
        write_lines(lines, out)


@decisions_app.command("import")
def bring_in(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSONL or CSV, as `export` writes it.")],
    form: Annotated[str, typer.Option("--format", metavar="NAME", help="jsonl or csv.")] = "",
    project: ProjectId = 1,
) -> None:
    """Add the decisions of a file to a project; those that are there already stay as they are. Exit code 2 if any row
    could not be kept: each is named by its line.
    """
    from backend.errors import UnknownName
    from labeling.decisions.importing import READERS
    from labeling.decisions.importing import bring_in as run

    form = form or _format_of(file, "")
    if form not in READERS:
        raise UnknownName("format", form, READERS)
    try:
        body = file.read_bytes()
    except OSError as problem:
        raise InputError(f"Cannot read {str(file)!r}: {(problem.strerror or 'it is no file').lower()}.") from None
    with project_opened(project) as resources:
        read = run(resources.engine, project, READERS[form](body))
    sys.stderr.write(f"{read.read} decisions read: {read.added} added, {read.known} known already.\n")
    if read.ignored:
        sys.stderr.write(f"Ignored, since nobody here knows them: {', '.join(read.ignored)}.\n")
    for row in read.bad[:SHOWN]:
        sys.stderr.write(f"line {row.line}: {row.problem}\n")
    if len(read.bad) > SHOWN:
        sys.stderr.write(f"… and {len(read.bad) - SHOWN} more.\n")
    if read.bad:
        raise InputError(f"{len(read.bad)} of {read.read} rows were not kept.")


def _format_of(file: Path | None, default: str) -> str:
    """The format that a file's ending tells; a file called .json is for Label Studio."""
    ending = file.suffix.lower().removeprefix(".") if file else ""
    return {"json": "label-studio", "ndjson": "jsonl"}.get(ending, ending) or default
