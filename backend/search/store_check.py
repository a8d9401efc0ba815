"""Do rows and the store of media say the same? What a film needs is there, and what is there some film needs."""

from dataclasses import dataclass
from pathlib import Path

from sqlmodel import Session, col, select

from backend.library.models import Movie
from backend.library.places import derived_folders, uploads_folder
from backend.resources import Resources
from backend.store.media import has_store, listed, local, publish, remove, unpublished

PER_FILM = ("films", "features", "uploads")
"""Folders of the store that have one folder a film, named by its checksum."""


@dataclass(frozen=True)
class Astray:
    """What is off: a film of which something is not in the store, or a folder there (`target`) of no film."""

    words: str
    movie_id: int | None = None
    target: str = ""


def astray(resources: Resources) -> list[Astray]:
    """What lies here and is not in the store, and what lies there that no row names; nothing without a store."""
    if not has_store(resources.home):
        return []
    with Session(resources.reading) as session:
        movies = session.exec(select(Movie).order_by(col(Movie.id))).all()
    found = []
    for movie in movies:
        if missing := [path.name for path in _missing(resources, movie)]:
            said = f"{movie.title!r} (film {movie.id}): {', '.join(missing[:3])} is not in the media store."
            found.append(Astray(said, movie_id=movie.id))
    named = {movie.sha256 for movie in movies}
    for folder in PER_FILM:
        for sha256 in sorted(listed(resources.home / folder).keys() - named):
            said = f"Files of {folder} in the media store that belong to no film: {sha256}."
            found.append(Astray(said, target=f"{folder}/{sha256}"))
    return found


def mend(resources: Resources, movie_id: int | None, target: str) -> None:
    """Remove what no film needs, or publish what of a film is only here."""
    if target:
        remove(resources.home / target)
        return
    with Session(resources.reading) as session:
        movie = session.get(Movie, movie_id)
    for path in _missing(resources, movie) if movie else ():
        publish(path)


def _missing(resources: Resources, movie: Movie) -> list[Path]:
    """Files and folders of a film that lie here and not in the store."""
    folders = derived_folders(resources.home, movie.sha256) if movie.sha256 else ()
    path = local(Path(movie.path))
    uploads = (path.parent,) if path.is_relative_to(uploads_folder(resources.home)) else ()
    return [each for folder in (*folders, *uploads) for each in unpublished(folder)]
