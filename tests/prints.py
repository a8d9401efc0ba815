"""What an ingest leaves of a film, to be compared: rows without ids and times, files by their content, vectors."""

import hashlib
from pathlib import Path
from typing import Any

from sqlmodel import Session, SQLModel, col, select

from backend.library.models import Candidate, DialogueLine, Movie, Scene, Shot
from backend.library.places import derived_folders
from backend.resources import Resources
from backend.search.copies import copies
from backend.search.models import IndexedFilm, VectorCollection

FLEETING = {"id", "movie_id", "project_id", "created_at", "updated_at", "ready_at", "indexed_at", "stamp"}
TABLES: tuple[type[SQLModel], ...] = (Shot, Scene, DialogueLine, Candidate, IndexedFilm)


def print_of(resources: Resources, movie_id: int) -> dict[str, Any]:
    """Rows, files and vectors of a film."""
    with Session(resources.reading) as session:
        movie = session.get_one(Movie, movie_id)
        rows: dict[str, Any] = {"movie": movie.model_dump(exclude=FLEETING | {"path", "source", "title"})}
        for table in TABLES:
            found = session.exec(select(table).where(table.movie_id == movie_id)).all()  # type: ignore[attr-defined]
            rows[table.__name__] = sorted(str(row.model_dump(exclude=FLEETING | {"movie_title"})) for row in found)
    sha256 = movie.sha256 or ""
    return {"rows": rows, "files": files_of(resources.home, sha256), "vectors": vectors_of(resources, sha256)}


def files_of(home: Path, sha256: str) -> dict[str, str]:
    """Every file that was made from a film, with the sum of its content; leftovers of killed processes are none."""
    found = [file for folder in derived_folders(home, sha256) for file in folder.rglob("*") if file.is_file()]
    found += [path for _, path in copies(home, sha256)]
    whole = [path for path in found if not any(part.startswith(".selects-") for part in path.parts)]
    return {str(path.relative_to(home)): hashlib.sha256(path.read_bytes()).hexdigest() for path in whole}


def vectors_of(resources: Resources, sha256: str) -> dict[str, dict[str, tuple[float, ...]]]:
    """Space → id → vector of everything that the vector server holds of a film."""
    with Session(resources.reading) as session:
        named = session.exec(select(VectorCollection).order_by(col(VectorCollection.space))).all()
    found: dict[str, dict[str, tuple[float, ...]]] = {}
    for row in named:
        own = [identity for identity in resources.chroma.ids(row.name) if identity.startswith(sha256)]
        found[row.space] = {k: tuple(v.tolist()) for k, v in resources.chroma.vectors(row.name, own).items()}
    return found
