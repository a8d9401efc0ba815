"""Reel names: at most eight capitals and digits, different for every film of a list."""

import re
import unicodedata
from collections.abc import Mapping

from backend.exports.base import ClipList, Source
from backend.exports.layout import film_key, films

LETTERS = 8
UNUSABLE = re.compile(r"[^A-Z0-9_]")
TAKEN = frozenset(("AX", "BL", "BLACK", "BARS"))
"""Names that mean no film: an unknown source, black, colour bars."""


def reels(clip_list: ClipList) -> Mapping[tuple[str, str], str]:
    """`film_key` → reel. Names that people gave come first; the others are made of the file's name, or its checksum."""
    found: dict[tuple[str, str], str] = {}
    for given in (True, False):
        for key, film in films(clip_list).items():
            if bool(wanted_reel(film)) == given:
                found[key] = _free(eight(wanted_reel(film) or film.stem) or _by_checksum(film), set(found.values()))
    return found


def reel_of(reel: Mapping[tuple[str, str], str], source: Source) -> str:
    """The reel of a film of the list."""
    return reel[film_key(source)]


def wanted_reel(source: Source) -> str:
    """What people call its reel; the tape stands in where only that is named."""
    return source.reel.strip() or source.tape.strip()


def full_reel(source: Source) -> str:
    """Its tape's or reel's name where names may be long."""
    return source.tape.strip() or source.reel.strip() or source.stem


def eight(name: str) -> str:
    """What fits of a name: accents go, other letters and marks become nothing, spaces and hyphens become `_`."""
    flat = unicodedata.normalize("NFKD", name).upper()
    return re.sub("_+", "_", UNUSABLE.sub("", re.sub(r"[\s.\-]+", "_", flat))).strip("_")[:LETTERS].rstrip("_")


def _by_checksum(source: Source) -> str:
    return eight(f"F{source.sha256[: LETTERS - 1]}") or "FILM"


def _free(name: str, used: set[str]) -> str:
    number, found = 2, name
    while found in used or found in TAKEN:
        found = f"{name[: LETTERS - len(str(number))]}{number}"
        number += 1
    return found
