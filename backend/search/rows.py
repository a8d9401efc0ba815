"""What a film puts into each space, from its feature files."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from backend.errors import SelectsError
from backend.features.base import ShotMaterial
from backend.features.store import FeatureStore, digest
from backend.library.models import DialogueLine, Movie
from backend.resources import Resources
from backend.search.copies import FilmKey, Floats, prepared, read_copy, write_copy
from backend.search.spaces import SPACES, Space


class FeaturesLost(SelectsError):
    """A feature file of this film is gone or damaged; analyse the film again."""


@dataclass(frozen=True)
class FilmRows:
    """What a film puts into a space: prepared rows, float32 [rows, D]."""

    key: FilmKey
    vectors: Floats

    @property
    def space(self) -> Space:
        """The space they are for."""
        return SPACES[self.key.space]


def spaces_of(movie: Movie) -> list[Space]:
    """The spaces that an analysed film belongs in: what was made of it, and its lines."""
    return [space for space in SPACES.values() if space.rows == "lines" or space.extractor.name in movie.vectors]


def film_rows(resources: Resources, movie: Movie, space: Space, texts: Sequence[str]) -> FilmRows:
    """What a film puts into a space, from its feature file; that of its lines is made where it is missing."""
    store = FeatureStore(resources.home / "features")
    sha256 = movie.sha256 or ""
    if space.rows == "shots":
        made = FilmKey(space.name, sha256, movie.vectors[space.extractor.name])
        return FilmRows(made, stored_rows(resources, made))
    key = FilmKey(space.name, sha256, lines_inputs(texts))
    stored = store.get(sha256, space.extractor, inputs=key.inputs)
    if stored is None:
        encoder = resources.extractors[space.extractor.name]
        stored = encoder.extract([ShotMaterial(0.0, 0.0, dialogue=text) for text in texts])
        store.put(sha256, space.extractor, stored, inputs=key.inputs)
    return FilmRows(key, prepared(space, stored.vectors))


def lines_inputs(texts: Sequence[str]) -> str:
    """What decides the vectors of a film's lines."""
    return digest("lines", tuple(texts))


def stored_rows(resources: Resources, key: FilmKey) -> Floats:
    """Prepared rows from the feature file; raises FeaturesLost."""
    space = SPACES[key.space]
    stored = FeatureStore(resources.home / "features").get(key.sha256, space.extractor, inputs=key.inputs)
    if stored is None:
        raise FeaturesLost(
            f"The vectors that {space.extractor.name} made of the film {key.sha256[:12]}… are gone or damaged; "
            "analyse the film again."
        )
    return prepared(space, stored.vectors)


def rows_for_search(resources: Resources, key: FilmKey, rows: int) -> Floats:
    """The mapped copy, made again from the feature file where it is missing; raises FeaturesLost, OutputError."""
    mapped = read_copy(resources.home, key, rows)
    if mapped is None:
        vectors = stored_rows(resources, key)
        if len(vectors) != rows:
            raise FeaturesLost(f"The feature file of the film {key.sha256[:12]}… has other rows than its index.")
        write_copy(resources.home, key, vectors)
        mapped = read_copy(resources.home, key, rows)
    return vectors if mapped is None else mapped


def line_texts(session: Session, movie_id: int) -> list[str]:
    """The lines of a film, in order."""
    wanted = select(DialogueLine.text).where(col(DialogueLine.movie_id) == movie_id).order_by(col(DialogueLine.number))
    return list(session.exec(wanted).all())
