"""A trained folder as it is entered: what there is to say of a version, whichever kind of model it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.clusters.head import PLACE, is_metric, load_head
from backend.scoring.golden import check_golden
from backend.scoring.mlp import load_model
from backend.scoring.stored import CARD, read_card


@dataclass(frozen=True)
class Version:
    """A version's name, slot, files and card. `gives`: the first part that its slot must have."""

    version: str
    slot: str
    gives: str
    sha256: str
    schema_name: str
    card: Mapping[str, Any]


def load_version(folder: Path, *, proved: bool = True) -> Version:
    """What lies in a folder, with its golden vectors answered where it is to be `proved`; raises InputError,
    SchemaMismatch.
    """
    if is_metric(_slot_in(folder)):
        head = load_head(folder)
        return Version(head.version, head.card["slot"], PLACE, head.sha256, head.schema.name, head.card)
    model = load_model(folder)
    if proved:
        check_golden(folder, model)
    slot = str(model.card.get("slot", model.replaces))
    return Version(model.version, slot, model.replaces, model.sha256, model.schema.name, model.card)


def _slot_in(folder: Path) -> str:
    """What the card says, "" where there is none to read: loading it then says why."""
    path = folder / CARD
    return str(read_card(path.read_bytes(), folder).get("slot", "")) if path.is_file() else ""
