"""Where the editor's machine has what the server has: values in, values out."""

import posixpath
import re
from collections.abc import Iterable

DRIVE = re.compile(r"^[A-Za-z]:")


def mapped(path: str, mappings: Iterable[tuple[str, str]]) -> str:
    r"""A path of the server in the editor's words: by the longest folder of the server that holds it.

    A target with a drive letter or a backslash is one of Windows, and what follows has backslashes then. A path that no
    folder holds stays as it is.

    >>> mapped("/films/2026/a.mov", [("/films", "/Volumes/F"), ("/films/2026", "Z:\\new")])
    'Z:\\new\\a.mov'
    """
    held = [(folder, target) for server, target in mappings if _holds(folder := posixpath.normpath(server), path)]
    if not held:
        return path
    folder, target = max(held, key=lambda pair: len(pair[0]))
    rest = path[len(folder) :].lstrip("/")
    if DRIVE.match(target) or "\\" in target:
        return "\\".join(part for part in (target.rstrip("\\/"), rest.replace("/", "\\")) if part)
    return "/".join((target.rstrip("/"), rest)) if rest else target.rstrip("/") or "/"


def _holds(folder: str, path: str) -> bool:
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")
