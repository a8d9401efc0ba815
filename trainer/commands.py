"""`selects train`, `models`, `promote`, `rollback` and `trainer`."""

import json
import sys
from typing import Annotated

import typer

from backend.errors import InputError
from backend.opened import library_opened

BY = "command line"

training_app = typer.Typer()

ProjectId = Annotated[int, typer.Option("--project", min=1, metavar="ID", help="The project's id.")]
Slot = Annotated[
    str, typer.Option(metavar="SLOT", help="compelling, compelling/GENRE, viral, metric/scene or metric/character.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]


@training_app.command()
def train(
    slot: Slot = "compelling",
    seed: Annotated[
        int, typer.Option(min=0, max=2**31 - 1, metavar="N", help="Same labels, same seed, same model.")
    ] = 0,
    propose: Annotated[str, typer.Option(metavar="WHICH", help="better, mlp or linear (default: the setting).")] = "",
    project: ProjectId = 1,
    as_json: AsJson = False,
) -> None:
    """Train on all that is labelled and wait for the end; what passes the gate goes live. A refusal says why."""
    from pydantic import ValidationError

    from trainer.runs.following import train as run_training
    from trainer.runs.shapes import RunNew, RunPublic
    from trainer.runs.terminal import RunBar

    try:
        wanted = RunNew.model_validate({"slot": slot, "seed": seed, "propose": propose or None})
    except ValidationError as wrong:
        first = wrong.errors()[0]
        raise InputError(f"--{first['loc'][0]}: {first['msg']}.") from None
    with library_opened() as resources, RunBar() as bar:
        run = run_training(resources, project, wanted, BY, bar)
    if as_json:
        sys.stdout.write(RunPublic.model_validate(run).model_dump_json(indent=2) + "\n")
    if run.state in ("failed", "cancelled"):
        raise InputError(run.problem or f"The run was {run.state}.")


@training_app.command("models")
def list_models(project: ProjectId = 1, as_json: AsJson = False) -> None:
    """List the versions of a project, the newest first; those that are live are marked."""
    from sqlmodel import Session

    from trainer.runs.terminal import model_lines, models_of

    with library_opened() as resources, Session(resources.reading) as session:
        found = models_of(session, project)
    if as_json:
        sys.stdout.write(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
        return
    sys.stdout.writelines(f"{line}\n" for line in model_lines(found))
    if not found:
        sys.stderr.write("Nothing was trained yet; `selects train` does it. Until then the prior scores.\n")


@training_app.command()
def promote(
    version: Annotated[str, typer.Argument(metavar="V", help="A version, as `selects models` names it.")],
    project: ProjectId = 1,
) -> None:
    """Let a version score from now on. Running servers take it up within two seconds."""
    from sqlmodel import Session

    from trainer.registry import promote as make_live

    with library_opened() as resources, Session(resources.engine) as session:
        live = make_live(session, project, version, None, BY, "asked for")
        sys.stderr.write(f"{live.version} is live as {live.slot}.\n")


@training_app.command()
def rollback(slot: Slot = "compelling", project: ProjectId = 1) -> None:
    """Go back to what was live before the version that is live now."""
    from sqlmodel import Session

    from backend.scoring.live import without
    from trainer.registry import rollback as go_back

    with library_opened() as resources, Session(resources.engine) as session:
        live = go_back(session, project, slot, BY)
        genre = live.slot.startswith("compelling/")
        instead = "What scores films of other genres" if genre else f"The {without(live.slot)}"
        sys.stderr.write(f"{live.version or instead} is live as {live.slot}.\n")


@training_app.command()
def trainer() -> None:
    """Run what trains: the scheduler, and a worker for the gpu queue. `selects up` does so by itself."""
    from backend.loading import loading

    with loading():
        from backend.logs import set_up_logs
        from backend.settings import load_settings
        from backend.worker import run_worker
        from trainer.runs.service import QUEUE
        from trainer.schedule import scheduler

    set_up_logs("trainer")
    run_worker(load_settings(), (QUEUE,), (scheduler,))
