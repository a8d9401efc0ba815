"""Which model is live: versions are entered, promoted, rolled back. Each change is one transaction with its history."""

import json
import re
from pathlib import Path
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col, select

from backend.clusters.head import is_metric
from backend.database import insert_ignoring, rows_changed, utc_now
from backend.errors import Conflict, InputError, NotFound, SchemaMismatch
from backend.features.registry import PROFILES
from backend.features.schema import FeatureSchema
from backend.files import folder_atomically, write_atomically
from backend.library.models import Movie
from backend.scoring.live import hold_still, without
from backend.scoring.models import (
    CHALLENGER,
    PROMOTED,
    REFUSED,
    ROLLBACK,
    Live,
    ModelVersion,
    Promotion,
    standing_versions,
)
from backend.store.media import present, publish
from trainer.material.slots import SLOT
from trainer.versions.stored import Version, load_version

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
TAKEN = ("history", "live", "prior", ROLLBACK)
"""Names that mean something else at /api/models and /api/score."""


def register(session: Session, home: Path, project_id: int, folder: Path, run_id: str | None, by: str) -> ModelVersion:
    """Enter a trained folder as a version of a project; its files are copied to HOME/models/<version>.

    The same version once more gives the row that is there. Raises InputError or SchemaMismatch for a folder that cannot
    be used, Conflict where another model has the name.
    """
    model = load_version(folder)
    slot = model.slot
    _require_usable(model)
    place = home / "models" / model.version
    if not present(place, folder=True).is_dir():
        with folder_atomically(place) as part:
            for file in folder.iterdir():
                if file.is_file():
                    write_atomically(part / file.name, file.read_bytes(), durable=True)
    publish(place)
    stored = load_version(place, proved=False)  # of an earlier try its card is the one that counts
    if stored.sha256 != model.sha256:
        raise Conflict(f"There is another model {model.version!r} in {str(place)!r}; give this one another name.")
    values = {
        "project_id": project_id,
        "version": model.version,
        "slot": slot,
        "kind": str(stored.card.get("kind", "mlp")),
        "folder": f"models/{model.version}",
        "sha256": model.sha256,
        "schema_name": model.schema_name,
        "card": dict(stored.card),
        "state": CHALLENGER if _gate(stored.card).get("passed", True) else REFUSED,
        "created_at": utc_now(),
        "created_by": by,
        "run_id": run_id,
    }
    session.execute(insert_ignoring(session, ModelVersion, ["version"]).values(**values))
    row = session.exec(select(ModelVersion).where(col(ModelVersion.version) == model.version)).one()
    if (row.project_id, row.sha256) != (project_id, model.sha256):
        raise Conflict(f"There is another model {model.version!r}, of another project; give this one another name.")
    row.folder = str(values["folder"])  # its files were tidied away, and are there again
    session.commit()
    session.refresh(row)
    return row


def promote(
    session: Session, project_id: int, version: str, expected_generation: int | None, by: str, why: str
) -> Live:
    """Make a version live in its slot; one that is live already stays it, and nothing is written.

    expected_generation  of the slot as the asker saw it (0: nothing was ever promoted); None: whatever it is now

    Raises NotFound, Conflict where somebody else was first or the gate has refused the version, SchemaMismatch where
    the project's films have other features than it knows.
    """
    row = version_of(session, project_id, version)
    if row.state == REFUSED:
        reasons = "; ".join(str(reason).rstrip(".") for reason in _gate(row.card).get("reasons", ()))
        raise Conflict(f"The gate has refused {version}: {reasons or 'its card says why'}.")
    (_require_vectors if is_metric(row.slot) else _require_fitting)(session, row)
    live = live_in(session, project_id, row.slot)
    if live.version == version and expected_generation in (None, live.generation, live.generation - 1):
        return live
    expected = live.generation if expected_generation is None else expected_generation
    # Who gives that word as a reason must not turn the history around.
    return _move(session, live, row.version, expected, (by, f"{why}." if why == ROLLBACK else why))


def rollback(session: Session, project_id: int, slot: str, by: str) -> Live:
    """Go back to what was live before the version that is live now was promoted: a version, or the prior.

    Raises NotFound where nothing was ever promoted in the slot, Conflict where there is nothing to go back to or
    somebody else was first.
    """
    live = live_in(session, project_id, slot)
    if not live.generation:
        raise NotFound(f"Nothing was ever promoted as {slot!r} in this project.")
    if live.version is None:
        raise Conflict(f"The {without(slot)} is live as {slot!r}; there is nothing to go back to.")
    own = col(Promotion.project_id) == project_id, col(Promotion.slot) == slot
    rows = session.exec(select(Promotion.version, Promotion.why).where(*own).order_by(col(Promotion.generation))).all()
    before = standing_versions((version, why) for version, why in rows)[:-1]
    return _move(session, live, before[-1] if before else None, live.generation, (by, ROLLBACK))


def version_of(session: Session, project_id: int, version: str) -> ModelVersion:
    """A version of a project; raises NotFound."""
    wanted = select(ModelVersion).where(
        col(ModelVersion.version) == version, col(ModelVersion.project_id) == project_id
    )
    row = session.exec(wanted).one_or_none()
    if row is None:
        raise NotFound(f"There is no model {version!r} in this project.")
    return row


def live_in(session: Session, project_id: int, slot: str) -> Live:
    """What is live in a slot as the database says now; generation 0 where nothing was ever promoted."""
    found = session.get(Live, (project_id, slot), populate_existing=True)
    return found or Live(project_id=project_id, slot=slot)


def scoring_in(session: Session, project_id: int, slot: str) -> str | None:
    """The version that scores what a slot is for: the general one where a genre has none; None for the prior."""
    own, general = (live_in(session, project_id, name).version for name in (slot, slot.partition("/")[0]))
    return own or general


def _move(session: Session, seen: Live, version: str | None, expected: int, said: tuple[str, str]) -> Live:
    """Compare and swap the pointer, and write down that it was done."""
    project_id, slot, generation = seen.project_id, seen.slot, expected + 1
    hold_still(session, project_id)
    if expected == 0:
        first = {"project_id": project_id, "slot": slot, "version": None, "generation": 0, "changed_at": utc_now()}
        session.execute(insert_ignoring(session, Live, ["project_id", "slot"]).values(**first))
    previous = seen.version
    mine = (
        *(col(Live.project_id) == project_id, col(Live.slot) == slot, col(Live.generation) == expected),
        col(Live.version).is_(None) if previous is None else col(Live.version) == previous,
    )
    moved = update(Live).where(*mine).values(version=version, generation=generation, changed_at=utc_now())
    if not rows_changed(session, moved):
        session.rollback()
        raise Conflict("Somebody else has changed what is live meanwhile; look again.")
    by, why = said
    session.add(
        Promotion(
            project_id=project_id, slot=slot, version=version, previous=previous, generation=generation, by=by, why=why
        )
    )
    if version is not None:
        session.execute(update(ModelVersion).where(col(ModelVersion.version) == version).values(state=PROMOTED))
    session.commit()
    return live_in(session, project_id, slot)


def _require_usable(model: Version) -> None:
    try:
        json.dumps(dict(model.card), allow_nan=False)
    except ValueError:
        raise InputError(f"The card of {model.version} holds numbers that are not finite.") from None
    if not NAME.fullmatch(model.version) or model.version in TAKEN:
        raise InputError(f"{model.version!r} is no name for a model: letters, digits, dots and hyphens, 200 at most.")
    if not SLOT.fullmatch(model.slot) or model.slot.partition("/")[0] != model.gives:
        raise InputError(f"The model gives the {model.gives} score; it cannot be {model.slot!r}.")


def _require_fitting(session: Session, row: ModelVersion) -> None:
    """Raise SchemaMismatch where the project has films, and none of them has the features that the model knows."""
    names = session.exec(
        select(Movie.profile).where(col(Movie.project_id) == row.project_id, col(Movie.state) == "ready").distinct()
    ).all()
    known = [PROFILES[name].framed for name in names if name in PROFILES]
    wanted = FeatureSchema.from_json(row.card["schema"])
    if known and not any(schema.holds(wanted) for schema in known):
        raise SchemaMismatch(
            f"{row.version} knows the features {wanted.describe()}; this project's films have {known[0].describe()}."
        )


def _require_vectors(session: Session, row: ModelVersion) -> None:
    """The same of a metric head, and the vectors that it is for."""
    ready = col(Movie.project_id) == row.project_id, col(Movie.state) == "ready"
    made = session.exec(select(Movie.vectors).where(*ready)).all()
    wanted = FeatureSchema.from_json(row.card["schema"])
    if made and not any(wanted.name in each for each in made):
        raise SchemaMismatch(f"{row.version} is for the vectors {wanted.describe()}; this project's films have others.")


def _gate(card: Any) -> dict[str, Any]:
    found = card.get("gate")
    return found if isinstance(found, dict) else {}
