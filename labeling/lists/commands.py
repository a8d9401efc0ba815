"""`selects export` and `selects lists`, from the machine that holds the library."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from backend.errors import InputError
from backend.opened import library_opened, project_opened

export_app = typer.Typer()
lists_app = typer.Typer(no_args_is_help=True, help="Clip lists: which there are, new ones by rule, edits brought in.")

ProjectId = Annotated[int, typer.Option(min=1, metavar="ID", help="The project's id.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]


@lists_app.callback()
def lists() -> None:
    """Clip lists: which there are, new ones by rule, edits brought in."""


@export_app.command()
def export(
    name: Annotated[str, typer.Argument(metavar="LIST", help="A list: its number or its name.")],
    to: Annotated[str, typer.Option(metavar="FORMAT", help="edl, fcpxml, fcp7, otio, json, csv, html or clips.")],
    out: Annotated[
        Path | None, typer.Option(metavar="PATH", help="A file or a folder (default: here, called like the list).")
    ] = None,
    shape: Annotated[
        str, typer.Option(metavar="NAME", help="Of clips: original, reels (9:16), square, or wide (16:9).")
    ] = "original",
    fade: Annotated[float, typer.Option(metavar="SECONDS", help="Of clips: fade at both ends.")] = 0.0,
    loudness: Annotated[float | None, typer.Option(metavar="LUFS", help="Of clips: bring the sound to this.")] = None,
    subtitles: Annotated[str, typer.Option(metavar="HOW", help="Of clips: none, burnt or sidecar.")] = "none",
    handles: Annotated[int, typer.Option(metavar="FRAMES", help="Of clips: frames more at both ends.")] = 0,
) -> None:
    """Export a clip list for an editing program, or as rendered clips (a ZIP). What may not go out is refused."""
    from backend.exports.registry import exporter_named
    from labeling.lists.asking import exported, find_list, rendered, told, written

    suffix = exporter_named(to).suffix
    with library_opened() as resources:
        found = find_list(resources, name)
        if to == "clips":
            options = {"shape": shape, "fade_s": fade, "loudness": loudness, "subtitles": subtitles}
            rendered(resources, found, options | {"handles": handles})
        path = written(exported(resources, found, to), out, suffix)
        said = told(resources, found, to)
    for line in said:
        sys.stderr.write(f"{line}\n")
    sys.stderr.write(f"{path}\n")


@lists_app.command("list")
def show(project: ProjectId = 1, as_json: AsJson = False) -> None:
    """Which lists there are in a project."""
    from sqlmodel import Session

    from labeling.lists.service import list_lists

    with project_opened(project) as resources, Session(resources.reading) as session:
        found, _ = list_lists(session, project, "", "", 1_000_000, 0)
    if as_json:
        _print([each.model_dump(mode="json") for each in found])
        return
    for each in found:
        state = f"{each.state}, {each.blocked} may not go out" if each.blocked else each.state
        sys.stdout.write(f"{each.id:>5}  {each.clips:>4} clips  {each.total_s:8.1f} s  {each.name}  ({state})\n")
    if not found:
        sys.stderr.write("There is no list yet; make one with `selects lists make NAME`.\n")


@lists_app.command("make")
def make(  # noqa: PLR0913  the options are the command
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it shall be called.")],
    movie: Annotated[list[int] | None, typer.Option(metavar="ID", help="Only of this film; again for more.")] = None,
    genre: Annotated[list[str] | None, typer.Option(metavar="GENRE", help="Only of films of it.")] = None,
    count: Annotated[int, typer.Option(min=1, metavar="N", help="How many clips at most.")] = 8,
    per_scene: Annotated[int | None, typer.Option(min=1, metavar="N", help="Of one scene at most.")] = None,
    per_film: Annotated[int | None, typer.Option(min=1, metavar="N", help="Of one film at most.")] = None,
    total: Annotated[float | None, typer.Option(metavar="SECONDS", help="All together at most.")] = None,
    min_score: Annotated[float | None, typer.Option(metavar="SCORE", help="Only clips from this score on.")] = None,
    order: Annotated[str, typer.Option(metavar="HOW", help="score, or film.")] = "score",
    project: ProjectId = 1,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be in it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make a list out of the best approved clips that fit a rule; the rule is kept with it."""
    from labeling.lists.asking import by_rule

    rule: dict[str, Any] = {"movies": movie or [], "genres": genre or [], "count": count, "order": order}
    rule |= {"per_scene": per_scene, "per_film": per_film, "total_s": total, "min_score": min_score}
    with project_opened(project) as resources:
        made = by_rule(resources, project, name, rule, dry_run=dry_run)
    if as_json:
        _print(made)
        return
    for clip in made["clips"]:
        score = "" if clip["score"] is None else f"{clip['score']:.2f}"
        sys.stdout.write(f"{clip['movie_title']}  {clip['start_s']:9.2f} – {clip['end_s']:9.2f} s  {score}\n")
    said = "There would be" if dry_run else f"List {made['id']} has"
    sys.stderr.write(f"{said} {len(made['clips'])} clips, {made['total_s']:.1f} seconds.\n")


@lists_app.command("import")
def bring_in(
    file: Annotated[Path, typer.Argument(metavar="FILE", help=".edl, .xml, .fcpxml, .otio or our .json.")],
    name: Annotated[str, typer.Option(metavar="NAME", help="Of the list (default: the edit's).")] = "",
    approve: Annotated[
        bool, typer.Option("--approve", help="Its cuts count as approved, by whoever runs this.")
    ] = False,
    project: ProjectId = 1,
    as_json: AsJson = False,
) -> None:
    """Make a list of an edit that was made elsewhere. Exit code 2 where nothing of it is of the project's films."""
    from labeling.lists.asking import brought

    if not file.is_file():
        raise InputError(f"Cannot read {str(file)!r}: there is no such file.")
    with project_opened(project) as resources:
        made = brought(resources, project, file, name, approve=approve)
    if as_json:
        _print(made)
        return
    for clip in made["clips"]:
        if clip["problem"]:
            sys.stderr.write(f"clip {clip['number']}: {clip['problem']}\n")
    if made["left_out"]:
        sys.stderr.write(f"Left out, since they are none of the films: {', '.join(made['left_out'])}.\n")
    sys.stderr.write(f"List {made['id']} has {len(made['clips'])} clips; {made['waiting']} wait for an approval.\n")


def _print(value: object) -> None:
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
