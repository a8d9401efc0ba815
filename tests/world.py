"""A small library with one person of each kind, for the access matrix: rows whose ids are always the same."""

import hashlib
import zlib
from fractions import Fraction
from typing import Any

from sqlalchemy import text
from sqlmodel import Session, SQLModel

from backend.analysis.cache import FilmCache
from backend.analysis.pictures import keyframe_path
from backend.clusters.keys import Key
from backend.clusters.models import Cluster, ClusterItem, Correction
from backend.database import utc_now
from backend.exports.base import ClipList
from backend.features.registry import profile_named
from backend.jobs.models import Job
from backend.library.models import Candidate, Movie, Project, Shot
from backend.library.sample import FILE as SAMPLE
from backend.members.models import ApiToken, Invitation, Membership, Person
from backend.resources import Resources
from backend.scoring.models import Live, ModelVersion, Promotion
from backend.security import hashed
from labeling.decisions.models import Decision
from labeling.lists.frozen import pack
from labeling.lists.models import ListEntry, ListExport, StoredList, Webhook
from labeling.references.models import Reference, ReferenceInterval
from trainer.runs.models import TrainingRun

ASKERS = ("anonymous", "outsider", "viewer", "curator", "admin", "superuser")
PERSONS = {name: number for number, name in enumerate(ASKERS) if number}
"""Ids of persons, and of the token that each has."""
SHA256 = "5e" * 32
PROJECT, MOVIE, KEYFRAME, MANUAL = 1, 1, 7, 2
RANKED, DECISION = 1, 1
VIEWERS_MEMBERSHIP, INVITATION = 2, 1
LIST, ENTRY, EXPORT, WEBHOOK = 1, 1, 1, 1
"""A list with one clip, which was exported; a webhook that nobody has called yet."""
CLUSTER, OTHER_CLUSTER, CORRECTION, LOOSE = 1, 2, 1, 4
"""Two places, of which the first was named; the last of four shots lies in none."""

INVITED = "slc_invited"
CHAMPION, CHALLENGER = "compelling-1", "compelling-2"
"""Models without files: the first is live."""
FILM = {"json": {"path": "new.mp4", "project": PROJECT}}
"""Adds the film that lies in the folder of films."""


def secret_of(asker: str) -> str:
    """The token that an asker sends; a stranger has none."""
    return f"slc_{asker}" if asker in PERSONS else ""


def make_world(resources: Resources) -> None:
    """Empty all tables and fill them; a film and the picture of a keyframe lie where the rows say."""
    (root,) = resources.settings.media.roots
    film = root / "film.mp4"
    film.write_bytes(b"a film")
    sample = resources.home / "sample" / SAMPLE
    sample.parent.mkdir(parents=True, exist_ok=True)
    sample.write_bytes(b"drawn already")
    picture = keyframe_path(FilmCache(resources.home / "films" / SHA256).scan_folder("scan"), KEYFRAME)
    picture.parent.mkdir(parents=True, exist_ok=True)
    picture.write_bytes(b"a picture")
    with Session(resources.engine) as session:
        _empty(session)
        session.add_all([Project(name="Here"), Project(name="Elsewhere")])
        for name, number in PERSONS.items():
            session.add(Person(name=name, superuser=name == "superuser"))
            session.flush()
            secret = hashed(secret_of(name))
            session.add(ApiToken(person_id=number, name="test", hashed=secret, used_at=utc_now()))
        session.add(Membership(project_id=2, person_id=PERSONS["outsider"], role="admin"))
        session.flush()
        for role in ("viewer", "curator", "admin"):
            session.add(Membership(project_id=PROJECT, person_id=PERSONS[role], role=role))
            session.flush()
        session.add(
            Invitation(
                project_id=PROJECT,
                name="Ada",
                role="viewer",
                hashed=hashed(INVITED),
                created_by="admin",
                expires_at=utc_now().replace(year=2200),
            )
        )
        facts: dict[str, Any] = {"title": "Film", "state": "ready", "rate": "25/1", "frames": 100}
        facts["picture"] = KEYFRAME
        session.add(Movie(project_id=PROJECT, path=str(film), sha256=SHA256, scan_key="scan", **facts))
        session.flush()
        for number in range(1, MANUAL + 1):
            session.add(_candidate(number))
            session.flush()
        session.add(_decision())
        _add_reference(session)
        _add_models(session)
        _add_clusters(session)
        _add_list(session)
        for state in ("queued", "failed", "done"):
            session.add(Job(id=state, workflow=state, project_id=PROJECT, movie_id=MOVIE, state=state))
        for name, state, slot in (("trained", "done", "compelling"), ("waits", "queued", "viral")):
            session.add(TrainingRun(id=name, workflow=name, project_id=PROJECT, slot=slot, state=state))
        session.commit()


def _candidate(number: int) -> Candidate:
    window: dict[str, Any] = {"start_frame": number, "end_frame": number + 50, "start_s": number / 25, "end_s": number}
    source = "manual" if number == MANUAL else "ranking"
    return Candidate(
        project_id=PROJECT,
        movie_id=MOVIE,
        movie_sha256=SHA256,
        movie_title="Film",
        rank=number,
        source=source,
        decided=int(number == RANKED),
        verdict="reject" if number == RANKED else "",
        **window,
    )


def _decision() -> Decision:
    """What the curator said of the ranked candidate."""
    window: dict[str, Any] = {"start_frame": 1, "end_frame": 51, "start_s": 0.04, "end_s": 2.04}
    return Decision(
        project_id=PROJECT,
        candidate_id=RANKED,
        movie_sha256=SHA256,
        movie_title="Film",
        person_id=PERSONS["curator"],
        curator="curator",
        verdict="reject",
        key="decided-before",
        **window,
    )


def _add_reference(session: Session) -> None:
    """A trailer of the film, with one interval; both have the id 1."""
    kept: dict[str, Any] = {"project_id": PROJECT, "movie_id": MOVIE, "movie_sha256": SHA256, "aligned_at": utc_now()}
    session.add(Reference(kind="trailer", name="promo.mp4", path="/films/promo.mp4", sha256="7a" * 32, **kept))
    session.flush()
    window: dict[str, Any] = {"start_frame": 10, "end_frame": 60, "start_s": 0.4, "end_s": 2.4}
    session.add(ReferenceInterval(reference_id=1, number=0, **window))


def _add_models(session: Session) -> None:
    schema = profile_named("embedded").schema
    for version in (CHAMPION, CHALLENGER):
        card = {"schema": schema.to_json(), "summary": "No better than chance.", "labels": {"total": 40, "films": 2}}
        files: dict[str, Any] = {"folder": f"models/{version}", "sha256": SHA256, "schema_name": schema.name}
        session.add(
            ModelVersion(project_id=PROJECT, version=version, slot="compelling", kind="linear", card=card, **files)
        )
        session.flush()
    pointer: dict[str, Any] = {"project_id": PROJECT, "slot": "compelling", "version": CHAMPION, "generation": 1}
    session.add_all([Live(**pointer), Promotion(**pointer, by="admin")])


def _add_clusters(session: Session) -> None:
    """Two shots in the first place, one in the second, one in none; their ids are those of the shots, from 1."""
    place: dict[str, Any] = {"project_id": PROJECT, "kind": "scene"}
    for name in ("Kitchen", ""):
        session.add(Cluster(**place, name=name, size=2 if name else 1, screen_time_s=2.0 if name else 1.0))
        session.flush()
    for shot in range(LOOSE):
        frame = 25 * shot
        times: dict[str, Any] = {"start_frame": frame, "end_frame": frame + 25, "start_s": shot, "end_s": shot + 1}
        session.add(Shot(movie_id=MOVIE, number=shot, scene=0, keyframes=[frame], **times))
        lies = {"cluster_id": (CLUSTER, CLUSTER, OTHER_CLUSTER, None)[shot], "placed": True, "seconds": 1.0}
        session.add(ClusterItem(**place, movie_id=MOVIE, shot=shot, key=str(Key(SHA256, frame)), frame=frame, **lies))
        session.flush()
    names = {"names": {str(CLUSTER): ["", "Kitchen", "", "curator"]}}
    session.add(Correction(**place, what="rename", cluster_id=CLUSTER, facts=names, by="curator"))


def _add_list(session: Session) -> None:
    """A list of the candidate that was made by hand, which an admin let in."""
    session.add(StoredList(project_id=PROJECT, name="List", created_by="curator"))
    session.add(Webhook(project_id=PROJECT, url="https://example.com/hook", secret="a secret that is long enough"))
    session.flush()
    window: dict[str, Any] = {"start_frame": 2, "end_frame": 52, "start_s": 0.08, "end_s": 2.08}
    film = {"movie_sha256": SHA256, "movie_title": "Film"}
    session.add(ListEntry(list_id=LIST, position=0, candidate_id=MANUAL, admitted_by="admin", **film, **window))
    packed = pack(ClipList(LIST, "List", "Here", (), Fraction(25)))
    kept = {"content": zlib.compress(b"{}"), "sha256": hashlib.sha256(b"{}").hexdigest(), "size_bytes": 2}
    made: dict[str, Any] = {"list_version": 1, "list_key": "", "format": "json", "name": "List", "made_of": packed}
    session.add(ListExport(list_id=LIST, **made, **kept))


def _empty(session: Session) -> None:
    tables = [table.name for table in reversed(SQLModel.metadata.sorted_tables)]
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE"))
        return
    for table in tables:
        session.execute(text(f"DELETE FROM {table}"))
