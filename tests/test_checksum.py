"""A film is known by its content, which is read once."""

import json
import os
from pathlib import Path

import pytest

from backend.analysis.checksum import film_checksum, remembered_checksum
from backend.errors import FilmUnreadable


def test_checksums_are_remembered_by_path_size_and_time(tmp_path: Path) -> None:
    film, memory = tmp_path / "film", tmp_path / "memory.json"
    film.write_bytes(b"abc")
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    told: list[tuple[int, int]] = []
    assert film_checksum(film, memory, lambda *at: told.append(at)) == known
    assert film_checksum(film, memory, lambda *at: told.append(at)) == known
    assert told == [(3, 3)]
    film.write_bytes(b"abd")
    os.utime(film, ns=(0, 5))
    assert film_checksum(film, memory) != known
    memory.write_text("rubbish")
    os.utime(film, ns=(0, 6))
    assert film_checksum(film, memory) != known
    with pytest.raises(FilmUnreadable, match="no such file"):
        film_checksum(tmp_path / "gone", memory)
    assert isinstance(json.loads(memory.read_text()), dict)


def test_who_sums_meanwhile_is_not_forgotten(tmp_path: Path) -> None:
    """Two workers with a film each: neither has to read its own again."""
    films, memory = [tmp_path / "one", tmp_path / "two"], tmp_path / "memory.json"
    for film in films:
        film.write_bytes(film.name.encode())
    film_checksum(films[0], memory, lambda *at: film_checksum(films[1], memory))
    assert all(remembered_checksum(film, memory) for film in films)
