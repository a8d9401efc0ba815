"""A trained version's folder as everybody reads it: model.safetensors, the card that names it, golden vectors."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.errors import InputError
from backend.files import write_atomically

WEIGHTS, CARD, GOLDEN = "model.safetensors", "card.json", "golden.safetensors"

Tensors = dict[str, NDArray[Any]]


def read_folder(folder: Path) -> tuple[Tensors, dict[str, Any]]:
    """Tensors and card of a version; raises InputError, in one sentence, where they cannot be read or do not match."""
    if not folder.is_dir():
        raise InputError(f"There is no model folder {str(folder)!r}; give the folder that holds {WEIGHTS} and {CARD}.")
    for name in (WEIGHTS, CARD):
        if not (folder / name).is_file():
            raise InputError(f"The model folder {str(folder)!r} lacks {name}; it needs {WEIGHTS} and {CARD}.")
    try:
        data, text = (folder / WEIGHTS).read_bytes(), (folder / CARD).read_bytes()
    except OSError as broken:
        raise InputError(f"The model in {str(folder)!r} cannot be read: {broken.strerror}.") from broken
    card = read_card(text, folder)
    found = hashlib.sha256(data).hexdigest()
    if card.get("sha256") != found:
        raise InputError(
            f"{WEIGHTS} in {str(folder)!r} is not the file its card describes "
            f"(sha256 {found[:12]}…, the card says {str(card.get('sha256'))[:12]}…); copy the folder again."
        )
    return read_tensors(data, f"{WEIGHTS} in {str(folder)!r}"), card


def read_card(text: bytes, folder: Path) -> dict[str, Any]:
    """What card.json says; raises InputError for what is no card of this program."""
    try:
        card = json.loads(text)
    except ValueError as broken:
        raise InputError(f"{CARD} in {str(folder)!r} is not JSON: {broken}.") from broken
    if not isinstance(card, dict) or not isinstance(card.get("schema"), dict):
        raise InputError(f"{CARD} in {str(folder)!r} names no feature schema; it is not a card of this program.")
    return card


def read_tensors(data: bytes, what: str) -> Tensors:
    """What a file of tensors holds; raises InputError."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return dict(load(data))
    except (SafetensorError, KeyError, TypeError, ValueError) as broken:
        raise InputError(f"{what} is broken: {broken}.") from broken


def packed(tensors: Mapping[str, NDArray[Any]]) -> bytes:
    """Tensors as a file: equal ones give equal bytes."""
    from safetensors.numpy import save

    return save({name: np.ascontiguousarray(tensors[name]) for name in sorted(tensors)})


def write_golden(folder: Path, tensors: Mapping[str, NDArray[Any]]) -> str:
    """Write golden.safetensors; gives its sha256, for the card. Raises OutputError."""
    data = packed(tensors)
    write_atomically(folder / GOLDEN, data, durable=True)
    return hashlib.sha256(data).hexdigest()


def read_golden(folder: Path, version: str, card: Mapping[str, Any]) -> Tensors:
    """The golden file that the card names; raises InputError."""
    try:
        data = (folder / GOLDEN).read_bytes()
    except OSError as problem:
        raise InputError(f"Model {version} has no {GOLDEN} that can be read: {problem.strerror}.") from problem
    if hashlib.sha256(data).hexdigest() != card.get("golden_sha256"):
        raise InputError(f"{GOLDEN} of model {version} is not the file that its card names.")
    return read_tensors(data, f"{GOLDEN} of model {version}")


def write_version(folder: Path, tensors: Mapping[str, NDArray[Any]], card: Mapping[str, Any]) -> Path:
    """Write model.safetensors and the card that names it, each whole or not at all. Raises OutputError."""
    data = packed(tensors)
    whole = {**card, "sha256": hashlib.sha256(data).hexdigest()}
    text = json.dumps(whole, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    write_atomically(folder / WEIGHTS, data, durable=True)
    write_atomically(folder / CARD, text.encode(), durable=True)
    return folder
