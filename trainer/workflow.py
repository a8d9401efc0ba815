"""A training run as a durable workflow of few steps: where a worker dies, the next one goes on with the step."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import structlog
from dbos import DBOS
from sqlmodel import Session, col, select

from backend.errors import Conflict, InputError, SchemaMismatch, SelectsError
from backend.files import write_atomically
from backend.jobs.service import Cancelled, Doing, Fenced
from backend.jobs.steps import fenced, full_stop, options, sentence
from backend.resources import Resources
from backend.scoring.mlp import CARD
from backend.scoring.models import ModelVersion
from backend.store.media import listed, present, publish, remove
from trainer.heads.rows import freeze_corrections
from trainer.material.labels import freeze, snapshots_folder
from trainer.material.slots import kind_of
from trainer.registry import live_in, promote, scoring_in
from trainer.registry import register as enter
from trainer.runs import service as runs
from trainer.runs.fitting import FitFailed, Progress, fit_command, run_to_end
from trainer.runs.models import TrainingRun
from trainer.runs.tidying import tidied_words, tidy_refused, tidy_snapshots

BEGINS = {"snapshot": 0.0, "train": 0.05, "register": 0.95, "promote": 0.99}
"""Of the whole, when each step begins."""
BY = "training"

Facts = dict[str, Any]
"""What one step tells the next: it is kept as JSON between the two."""

NOTHING_YET = {
    False: "There are no labels yet: judge some clips, or add a trailer; then train.",
    True: "There are no corrections yet: put shots or people into other clusters on the board; then train.",
}
"""By whether likeness is learnt."""

log = structlog.get_logger("selects.training")


def register(resources: Resources, worker: str, give_up: Callable[[], None]) -> None:
    """Make the workflow known to DBOS; `give_up` ends the process when it finds that it was given up for dead."""
    work = Training(resources, worker, give_up)

    @DBOS.workflow(name=runs.WORKFLOW, max_recovery_attempts=None)
    def training(run_id: str, workflow: str) -> str:
        return work.run(run_id, workflow)


class Ended(SelectsError):
    """The run has ended, with `state`."""

    def __init__(self, state: str, problem: str = "", note: str = "") -> None:
        super().__init__(problem or state)
        self.state, self.problem, self.note = state, problem, note


@dataclass(frozen=True)
class Training:
    """Training runs, as one worker does them."""

    resources: Resources
    worker: str
    give_up: Callable[[], None]

    def run(self, run_id: str, workflow: str) -> str:
        """Do all steps; gives the state in which the run has ended, "superseded" where it goes on elsewhere."""
        doing, known = Doing(run_id, workflow, self.worker), Facts()
        try:
            while "ended" not in known:
                name = next(name for name in STEPS if name not in known)
                known = known | {name: True} | self._step(doing, name, known)
            return str(known["ended"])
        except Fenced:
            log.warning("this run is done elsewhere", run=run_id, workflow=workflow)
            return "superseded"

    def _step(self, doing: Doing, name: str, known: Facts) -> Facts:
        """A step that is recorded with what it found out; where it ends the run, with that."""
        try:
            return _facts(DBOS.run_step(options(name), self._fenced, doing, lambda: self._done(doing, name, known)))
        except Fenced:
            raise
        except Exception as problem:  # a defect of ours, or a part that stayed away for minutes
            log.exception("training failed", run=doing.job_id, step=name)
            failed = Ended("failed", f"The step {name} failed: {sentence(problem)} The log has more; try it again.")
            return _facts(DBOS.run_step(options("failed"), self._fenced, doing, lambda: self._end(doing, failed)))

    def _fenced(self, doing: Doing, work: Callable[[], Facts]) -> str:
        """Do a step's work; a worker that finds itself given up for dead ends before the step is recorded."""
        bound = log.bind(run=doing.job_id)
        return fenced(self.resources, self.worker, self.give_up, lambda: json.dumps(work()), bound)

    def _done(self, doing: Doing, name: str, known: Facts) -> Facts:
        try:
            with Session(self.resources.engine) as session:
                runs.claim(session, doing, name, BEGINS[name])
            return STEPS[name](self.resources, doing, known)
        except Cancelled:
            _clear(self.resources, doing)
            return {"ended": "cancelled"}
        except Ended as ended:
            return self._end(doing, ended)
        except FitFailed as problem:
            return self._end(doing, Ended("failed", problem.detail))
        except InputError as problem:
            return self._end(doing, Ended("refused", problem.detail))

    def _end(self, doing: Doing, ended: Ended) -> Facts:
        with Session(self.resources.engine) as session:
            runs.finish(session, doing, ended.state, problem=ended.problem, note=ended.note)
        _clear(self.resources, doing)
        log.info("training ended", run=doing.job_id, state=ended.state, problem=ended.problem)
        return {"ended": ended.state}


def snapshot(resources: Resources, doing: Doing, _known: Facts) -> Facts:
    """Freeze the labels, and remember what scores: that is the champion."""
    with Session(resources.reading) as session:
        run = _run(session, doing)
        live = live_in(session, run.project_id, run.slot)
        facts = {"champion": scoring_in(session, run.project_id, run.slot), "generation": live.generation}
    kind = kind_of(run.slot)
    frozen = freeze_corrections(resources, run.project_id, kind) if kind else freeze(resources, run.project_id)
    with Session(resources.engine) as session:
        row = runs.fence(session, doing)
        row.snapshot, row.note = frozen.id, frozen.note
        session.add(row)
        session.commit()
    tidy_snapshots(resources, keep=frozen.id)
    if not frozen.labels:
        raise InputError(NOTHING_YET[bool(kind)])
    return {**facts, "snapshot": frozen.id}


def fit(resources: Resources, doing: Doing, known: Facts) -> Facts:
    """Train in a process of its own; what it makes lies beside the models until it is registered."""
    with Session(resources.reading) as session:
        run, champion = _run(session, doing), _folder_of(session, resources, known["champion"])
    settings = resources.settings.training
    out = _place(resources, doing) / "model"
    options = ["--seed", str(run.seed), "--slot", run.slot, "--device", settings.device]
    options += ["--propose", run.request.get("propose") or settings.propose]
    options += ["--champion", str(champion)] if champion else []

    def told(said: Progress) -> None:
        whole = BEGINS["train"] + (BEGINS["register"] - BEGINS["train"]) * said.fraction
        with Session(resources.engine) as session:
            runs.report(session, doing, replace(said, stage=said.stage or "train", fraction=whole))

    remove(out)  # of a worker that died after it had trained, before that was known
    frozen = present(snapshots_folder(resources.home) / known["snapshot"], folder=True)
    run_to_end(fit_command(frozen, out, options), settings.limit_s, told)
    publish(out)
    return {"folder": str(out.relative_to(resources.home))}


def enter_version(resources: Resources, doing: Doing, known: Facts) -> Facts:
    """Register what was trained; the same model with the same verdict once more is the version that is there."""
    folder = present(resources.home / known["folder"], folder=True)
    with Session(resources.engine) as session:
        run, card = runs.fence(session, doing), _card(folder)
        row = session.exec(select(ModelVersion).where(col(ModelVersion.version) == card["version"])).first()
        if row is not None and (row.project_id, _verdict(row.card)) != (run.project_id, _verdict(card)):
            # Judged beside another champion, or the same labels in another project.
            row, card["version"] = None, f"{card['version']}-{run.id[:6]}"
            write_atomically(folder / CARD, json.dumps(card, indent=2, sort_keys=True, ensure_ascii=False).encode())
        row = row or enter(session, resources.home, run.project_id, folder, run.id, run.asked_by or BY)
        tidied = tidy_refused(session, resources, run.project_id, run.slot)
        if tidied:
            log.info("old refused models removed", run=run.id, slot=run.slot, versions=tidied)
        run = runs.fence(session, doing)
        run.version = row.version
        run.note = "; ".join(filter(None, [run.note, tidied_words(tidied)]))
        session.add(run)
        session.commit()
        passed, reasons = _verdict(row.card)
        return {"version": row.version, "passed": passed, "reasons": reasons}


def decide(resources: Resources, doing: Doing, known: Facts) -> Facts:
    """Promote what passes the gate, where the settings say so; ends the run, with the reasons of a refusal."""
    if not known["passed"]:
        raise Ended("refused", " ".join(map(full_stop, known["reasons"])) or "The gate refused it; its card says why.")
    if not resources.settings.training.promote:
        raise Ended("done", note=f"{known['version']} waits for somebody to promote it")
    with Session(resources.engine) as session:
        run = runs.fence(session, doing)
        try:
            promote(session, run.project_id, known["version"], known["generation"], BY, f"training run {run.id}")
        except (Conflict, SchemaMismatch) as problem:
            raise Ended("done", note=f"not promoted: {problem.detail}") from None
    raise Ended("done", note=f"{known['version']} is live")


STEPS: dict[str, Callable[[Resources, Doing, Facts], Facts]] = {
    "snapshot": snapshot,
    "train": fit,
    "register": enter_version,
    "promote": decide,
}


def _run(session: Session, doing: Doing) -> TrainingRun:
    """The row as it is now, for reading."""
    run = session.get_one(TrainingRun, doing.job_id)
    session.expunge(run)
    return run


def _card(folder: Path) -> Facts:
    return _facts((folder / CARD).read_text())


def _verdict(card: Facts) -> tuple[bool, list[str]]:
    """Whether the gate let it pass, and why not."""
    gate = card.get("gate", {})
    return bool(gate.get("passed")), [str(reason) for reason in gate.get("reasons", ())]


def _folder_of(session: Session, resources: Resources, version: str | None) -> Path | None:
    row = session.exec(select(ModelVersion).where(col(ModelVersion.version) == version)).first() if version else None
    return present(resources.home / row.folder, folder=True) if row else None


def _place(resources: Resources, doing: Doing) -> Path:
    """Where a run works. A workflow has its own: who was given up for dead, and wakes, disturbs nobody."""
    return resources.home / "training" / f"{doing.workflow}-{doing.worker}"


def _clear(resources: Resources, doing: Doing) -> None:
    place = resources.home / "training"
    for name in listed(place):
        if name.startswith(doing.job_id):
            remove(place / name)


def _facts(said: str) -> Facts:
    found: Facts = json.loads(said)
    return found
