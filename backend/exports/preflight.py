"""What each format cannot carry of a list, said before anybody downloads it."""

from collections.abc import Iterable

from backend.exports.base import ClipList, Concern
from backend.exports.checks import blocked, refuse, unusable
from backend.exports.registry import EXPORTERS, exporter_named


def preflight(clip_list: ClipList, names: Iterable[str] | None = None) -> dict[str, list[Concern]]:
    """Format → its concerns, those that stop first; all formats where none are named. Raises UnknownName."""
    broken = unusable(clip_list)
    found = {}
    for name in EXPORTERS if names is None else names:
        own = broken or exporter_named(name).concerns(clip_list)
        found[name] = sorted([*blocked(clip_list), *own], key=lambda concern: not concern.stops)
    return found


def refuse_stopped(clip_list: ClipList, name: str) -> None:
    """Raise ExportRefused, in words, where the list cannot go out in this format; UnknownName for an unknown one."""
    refuse(clip_list, preflight(clip_list, [name])[name])
