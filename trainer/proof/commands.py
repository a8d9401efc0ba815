"""`selects evaluate ranking`."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from backend.opened import library_opened
from trainer.commands import AsJson, ProjectId

if TYPE_CHECKING:
    from trainer.proof.shapes import FigurePublic, ModelProof, PointPublic, ProofPublic

ranking_app = typer.Typer()


@ranking_app.command()
def ranking(project: ProjectId = 1, as_json: AsJson = False) -> None:
    """Say how well scores foretold what curators then said, model by model, by clips that chance had chosen."""
    from sqlmodel import Session

    from backend.errors import NotFound
    from backend.library.models import Project
    from trainer.proof.service import proof

    with library_opened() as resources, Session(resources.reading) as session:
        if session.get(Project, project) is None:
            raise NotFound(f"There is no project {project}.")
        found = proof(session, project)
    if as_json:
        sys.stdout.write(found.model_dump_json(indent=2) + "\n")
        return
    sys.stdout.writelines(f"{line}\n" for line in _lines(found))
    if not found.models:
        sys.stderr.write("Nothing to go by yet: of the clips that curators are asked about, chance chooses some.\n")


def _lines(found: "ProofPublic") -> Iterator[str]:
    for model in found.models:
        yield f"{model.model}: {model.clips} clips judged that chance had chosen, {model.approved} of them approved"
        yield from _figures(model.points[-1]) if model.points else _too_few(found, model)


def _figures(point: "PointPublic") -> Iterator[str]:
    clips = "clips; of other films nothing is said" if point.over == "clips" else f"{point.films} films"
    yield f"    the last {point.clips}; 95 % intervals over {clips}"
    yield f"    an approved one had the higher score than a rejected one in {_share(point.auc)}; chance gives 50 %"
    if point.upper and point.lift:
        yield f"    approved of the better half: {_share(point.upper)}, of all: {_share(point.every)}"
        yield f"    what that is more: {_share(point.lift)}"
    else:
        yield "    all have the same score"


def _too_few(found: "ProofPublic", model: "ModelProof") -> Iterator[str]:
    rejected = model.clips - model.approved
    yield (
        f"    too few to say more: {found.least} are needed, {found.least_each} each approved and rejected "
        f"({rejected} rejected so far)"
    )


def _share(figure: "FigurePublic") -> str:
    return f"{100 * figure.value:.0f} % ({100 * figure.low:.0f} to {100 * figure.high:.0f})"
