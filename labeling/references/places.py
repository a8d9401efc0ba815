"""Where the files of references lie: `HOME/references`, with what is made of trailers, apart from the films."""

from collections.abc import Collection
from pathlib import Path

from backend.library.places import SUFFIXES, derived_folders, require_ending, uploads_folder
from backend.store.media import listed, remove

EDITS = frozenset((".edl", ".fcpxml", ".otio", ".xml"))


def require_reference_name(name: str) -> str:
    """The name, if it can be that of a trailer or of an edit list; raises Misnamed."""
    return require_ending(name, SUFFIXES | EDITS, "a trailer or an edit list")


def kind_of(path: Path) -> str:
    """What it is by its ending: an "edit" or a "trailer"."""
    return "edit" if path.suffix.lower() in EDITS else "trailer"


def references_home(home: Path) -> Path:
    """The folder of all references; below it uploads and scans lie as those of films do in the library."""
    return home / "references"


def tidy(home: Path, named: Collection[str]) -> None:
    """Remove uploads and scans of files whose checksum is not named. Hold the lock of uploads of `references_home`."""
    base = references_home(home)
    places = {uploads_folder(base), *(folder.parent for folder in derived_folders(base, "any"))}
    for place in places:
        for name in listed(place):
            if name not in named and not (place / name).is_file():
                remove(place / name)
