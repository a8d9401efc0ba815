"""The models that a process scores with: those that the database says are live, loaded beside the old ones and swapped.

One reference holds them all. Whoever scores takes it once (`pin`) and uses that throughout; a swap makes another one.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col, select

from backend.clusters.head import Head, is_metric, load_head, schema_of
from backend.errors import InputError, SelectsError
from backend.features.registry import EXTRACTORS, profile_named
from backend.library.models import Project
from backend.scoring.film import ScoringFilm
from backend.scoring.golden import check_golden
from backend.scoring.mlp import Model, load_model
from backend.scoring.models import Live, ModelVersion, Promotion, standing_versions
from backend.scoring.presets import plain
from backend.store.media import present

if TYPE_CHECKING:
    from backend.resources import Resources

POLL_S = 0.5
RETRY_S = 10.0
"""How often a model that could not be loaded is tried again: somebody may have put its files right."""

log = structlog.get_logger("selects.live")

Key = tuple[int, str]


@dataclass(frozen=True)
class Pinned:
    """What a project's clips are scored with. `models`: slot → model; `generations`: slot → the change it is from.

    heads  slot → what its places or people are compared through
    """

    models: Mapping[str, Model] = field(default_factory=dict)
    generations: Mapping[str, int] = field(default_factory=dict)
    heads: Mapping[str, Head] = field(default_factory=dict)

    def chosen(self, genres: Sequence[str] = ()) -> tuple[Model, ...]:
        """The models for a film of these genres: one for compelling, one for viral, none where a prior is live.

        The first genre that has a model of its own decides, else the general model.
        """
        slots = [*(f"compelling/{plain(genre)}" for genre in genres), "compelling"]
        compelling = next((self.models[slot] for slot in slots if slot in self.models), None)
        return tuple(model for model in (compelling, self.models.get("viral")) if model is not None)


@dataclass(frozen=True)
class Alarm:
    """A version that should be live and cannot be used; `instead` is used, where there is none as `without` says."""

    project_id: int
    slot: str
    version: str
    problem: str
    instead: str


@dataclass(frozen=True)
class _Held:
    """What a slot should hold by its row, and the model that it does hold."""

    version: str | None
    generation: int
    model: Model | Head | None
    problem: str = ""
    tried_s: float = 0.0

    def serving(self, slot: str) -> str:
        """The version that is used, or what is used without any."""
        return self.model.version if self.model else without(slot)


def without(slot: str) -> str:
    """What is used where no version is live: the documented prior, or for likeness the plain embedding."""
    return "embedding" if is_metric(slot) else "prior"


def fitting(models: Sequence[Model], film: ScoringFilm) -> tuple[tuple[Model, ...], list[str]]:
    """Those of the live models that know a film's features, and a sentence for each of the others."""
    fit = tuple(model for model in models if film.schema.holds(model.schema))
    others = [model for model in models if model not in fit]
    return fit, [
        f"Model {model.version} knows other features than this film has: the prior gives the {model.replaces} score; "
        "analyse the film again."
        for model in others
    ]


def hold_still(session: Session, project_id: int) -> None:
    """Let nobody change what is live in a project before this transaction ends."""
    wanted = select(Project.id).where(col(Project.id) == project_id)
    session.exec(wanted.with_for_update(key_share=True)).first()


def is_current(session: Session, project_id: int, pinned: Pinned) -> bool:
    """Whether what was pinned is what is live, until this transaction ends."""
    hold_still(session, project_id)
    rows = session.exec(select(Live.slot, Live.generation).where(col(Live.project_id) == project_id)).all()
    return dict(rows) == pinned.generations


class LiveModels:
    """Follows the database's word on what is live; may be asked by many threads.

    A version whose files are broken, that knows other features or fails its golden vectors leaves the model before it
    in its place, and is an alarm.
    """

    def __init__(self, resources: "Resources") -> None:
        self._resources = resources
        self._schema = profile_named(resources.settings.analysis.profile).framed
        self._held: dict[Key, _Held] = {}
        self._pinned: dict[int, Pinned] = {}
        self._looking = threading.Lock()
        self._woken, self._stopping = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._away = False
        self.has_heads = False

    def pin(self, project_id: int) -> Pinned:
        """The models of a project as of now; they stay what they are for whoever holds them."""
        return self._pinned.get(project_id) or Pinned()

    @property
    def following(self) -> bool:
        """Whether a thread follows the database: what is pinned is then at most moments old."""
        return self._thread is not None

    def held(self) -> dict[Key, str]:
        """(project, slot) → the version that this process uses, else as `without` says."""
        return {key: held.serving(key[1]) for key, held in sorted(self._held.items())}

    def alarms(self) -> list[Alarm]:
        """The versions that should be live and are not."""
        return [
            Alarm(*key, held.version or "", held.problem, held.serving(key[1]))
            for key, held in sorted(self._held.items())
            if held.problem
        ]

    def start(self) -> None:
        """Look once, then follow in a thread."""
        self._look_safely()
        self._thread = threading.Thread(target=self._follow, name="live", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Look at once: something was changed."""
        self._woken.set()

    def close(self) -> None:
        """End the thread."""
        self._stopping.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join()

    def look(self) -> None:
        """Make what is used what the database says; raises SQLAlchemyError where it does not answer."""
        with self._looking, Session(self._resources.reading) as session:
            rows = session.exec(select(Live.project_id, Live.slot, Live.version, Live.generation)).all()
            held = {(row[0], row[1]): self._hold(session, (row[0], row[1]), row[2], row[3]) for row in rows}
            if any(held[key] is not self._held.get(key) for key in held) or len(held) != len(self._held):
                pinned = _pins(held)
                self.has_heads = any(pin.heads for pin in pinned.values())
                self._held, self._pinned = held, pinned

    def _follow(self) -> None:
        while True:
            self._woken.wait(POLL_S)
            self._woken.clear()
            if self._stopping.is_set():
                return
            self._look_safely()

    def _look_safely(self) -> None:
        try:
            self.look()
        except SQLAlchemyError as problem:
            if not self._away:
                log.warning("the database does not say what is live", problem=type(problem).__name__)
            self._away = True
        except Exception:
            log.exception("failed, and is tried again")
        else:
            self._away = False

    def _hold(self, session: Session, key: Key, version: str | None, generation: int) -> _Held:
        held = self._held.get(key)
        if held is not None and (held.version, held.generation) == (version, generation):
            if not held.problem or time.monotonic() - held.tried_s < RETRY_S:
                return held
        elif version is None:
            log.info("no model is live", project=key[0], slot=key[1], generation=generation)
            return _Held(None, generation, None)
        try:
            made = _Held(version, generation, self._load(session, key, version or ""))
            log.info("a model is live", project=key[0], slot=key[1], version=version, generation=generation)
            return made
        except SQLAlchemyError:
            raise
        except Exception as problem:  # noqa: BLE001  whatever is wrong with it, the one before stays
            said = problem.detail if isinstance(problem, SelectsError) else f"{type(problem).__name__}: {problem}"
            kept = held.model if held is not None else self._last_good(session, key, version)
            if held is None or (held.generation, held.problem) != (generation, said):
                instead = kept.version if kept else without(key[1])
                log.error("a model cannot be used", project=key[0], slot=key[1], problem=said, instead=instead)
            return _Held(version, generation, kept, said, time.monotonic())

    def _load(self, session: Session, key: Key, version: str) -> Model | Head:
        """A version's model, proved; raises InputError, SchemaMismatch and whatever reading a broken file raises."""
        project_id, slot = key
        row = session.exec(
            select(ModelVersion.folder, ModelVersion.sha256).where(
                col(ModelVersion.version) == version, col(ModelVersion.project_id) == project_id
            )
        ).one_or_none()
        if row is None:
            raise InputError(f"There is no model {version!r} in this project.")
        folder = present(self._resources.home / row[0], folder=True)
        model = _read_head(folder, slot) if is_metric(slot) else self._read_model(folder, slot)
        if (model.version, model.sha256) != (version, row[1]):
            raise InputError(f"The files in {str(folder)!r} are not those that were entered as {version!r}.")
        return model

    def _read_model(self, folder: Path, slot: str) -> Model:
        model = load_model(folder)
        if model.replaces != slot.partition("/")[0]:
            raise InputError(f"{model.version!r} gives the {model.replaces} score; it cannot be live as {slot!r}.")
        if not self._schema.holds(model.schema):
            model.require(self._schema)
        check_golden(folder, model)
        return model

    def _last_good(self, session: Session, key: Key, broken: str | None) -> Model | Head | None:
        """The model that was live before and that nobody took back, by the history; None for the prior."""
        own = col(Promotion.project_id) == key[0], col(Promotion.slot) == key[1]
        wanted = select(Promotion.version, Promotion.why).where(*own).order_by(col(Promotion.generation))
        stands = standing_versions((version, why) for version, why in session.exec(wanted).all())
        for version in dict.fromkeys(reversed(stands)):
            if version != broken:
                try:
                    return self._load(session, key, version)
                except SQLAlchemyError:
                    raise
                except Exception as problem:  # noqa: BLE001  then the one before that
                    log.error("a model cannot be used", project=key[0], slot=key[1], problem=str(problem))
        return None


def _read_head(folder: Path, slot: str) -> Head:
    head = load_head(folder)
    if head.card["slot"] != slot:
        raise InputError(f"{head.version!r} was made for {head.card['slot']!r}; it cannot be live as {slot!r}.")
    made = EXTRACTORS.get(head.space)
    now = None if made is None else schema_of(head.schema.blocks[0].name, head.space, made.version, head.axes.shape[0])
    if now != head.schema:
        raise InputError(f"{head.version!r} is for the vectors {head.schema.describe()}, which are not made any more.")
    return head


def _pins(held: Mapping[Key, _Held]) -> dict[int, Pinned]:
    pinned: dict[int, Pinned] = {}
    for (project_id, slot), own in held.items():
        known = pinned.get(project_id, Pinned())
        place, _, genre = slot.partition("/")
        called = f"{place}/{plain(genre)}" if genre else place
        models = {**known.models, **({called: own.model} if isinstance(own.model, Model) else {})}
        heads = {**known.heads, **({slot: own.model} if isinstance(own.model, Head) else {})}
        pinned[project_id] = Pinned(models, {**known.generations, slot: own.generation}, heads)
    return pinned
