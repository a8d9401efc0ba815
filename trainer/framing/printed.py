"""The figures of a training for a terminal."""

from collections.abc import Iterator, Mapping
from typing import Any

from trainer.framing.page import NAMES, figure


def lines(found: Mapping[str, Any]) -> Iterator[str]:
    """A table for each split; the one that counts comes first."""
    films, yes = len(found["films"]), found["medium_close_ups"]
    yield f"{found['labelled']} labelled stills of {films} films, {yes} of them medium close-ups"
    for split, by_kind in found["splits"].items():
        yield "On films that were not watched:" if split == "unwatched" else "Mixed (flatters):"
        for kind, counted in by_kind.items():
            figures = ("recall", "precision", "false_positive_rate")
            shown = ", ".join(f"{name.replace('_', ' ')} {figure(counted, name)}" for name in figures)
            yield f"  {NAMES[kind]:<26} {shown}"
    yield from found["remarks"]
