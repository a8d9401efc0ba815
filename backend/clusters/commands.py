"""`selects clusters`: places and people, from the machine that holds the library."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from backend.errors import UnknownName
from backend.opened import project_opened, write_lines

clusters_app = typer.Typer(no_args_is_help=True, help="Places and people of the films, and what was corrected of them.")

ProjectId = Annotated[int, typer.Option("--project", min=1, metavar="ID", help="The project's id.")]
Kinds = Annotated[str, typer.Option("--kind", metavar="KIND", help="scene or character (default: both).")]


@clusters_app.callback()
def clusters() -> None:
    """Places and people of the films, and what was corrected of them."""


@clusters_app.command("list")
def list_all(
    kind: Kinds = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, metavar="N", help="How many of a kind at most.")] = 20,
    project: ProjectId = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """List the places and people of a project, the largest first."""
    from sqlmodel import Session

    from backend.clusters.service import Wanted, list_clusters

    found = {}
    with project_opened(project) as resources, Session(resources.reading) as session:
        for each in _kinds(kind):
            found[each], _ = list_clusters(session, Wanted(project, each), limit, 0)
    if as_json:
        said = {each: [cluster.model_dump(mode="json") for cluster in some] for each, some in found.items()}
        sys.stdout.write(json.dumps(said, indent=2, ensure_ascii=False) + "\n")
        return
    for each, some in found.items():
        for cluster in some:
            name = cluster.name or (f"({cluster.suggestion}?)" if cluster.suggestion else "-")
            figures = f"{cluster.size:6} items {cluster.screen_time_s:9.1f} s {cluster.films:4} films"
            sys.stdout.write(f"{each:<10}{cluster.id:6}  {name:<32}{figures}  alike {cluster.cohesion:.2f}\n")


@clusters_app.command()
def refresh(kind: Kinds = "", project: ProjectId = 1) -> None:
    """Cluster all anew, under what people said. Clusters with names keep them."""
    from sqlmodel import Session

    from backend.clusters.placing import refresh as run
    from backend.clusters.service import counted

    with project_opened(project) as resources:
        for each in _kinds(kind):
            run(resources, project, each)
            with Session(resources.reading) as session:
                count = counted(session, project, each)
            sys.stdout.write(f"{each}: {count.items} items in {count.clusters} clusters, {count.noise} in none.\n")


@clusters_app.command("feedback")
def carry_out(
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Where to write (default: print).")] = None,
    kind: Kinds = "",
    project: ProjectId = 1,
) -> None:
    """Write what corrections teach as JSON lines: an anchor, what it is like, and what it is less like."""
    from backend.clusters.feedback import json_lines

    _kinds(kind)
    with project_opened(project) as resources:
        write_lines(json_lines(resources.reading, project, kind or None), out)


def _kinds(kind: str) -> tuple[str, ...]:
    from backend.clusters.models import KINDS

    if kind and kind not in KINDS:
        raise UnknownName("kind", kind, KINDS)
    return (kind,) if kind else KINDS
