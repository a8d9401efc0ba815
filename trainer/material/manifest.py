"""manifest.json of a snapshot: which features its rows hold, how many rows there are, and the hash of their file."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backend.errors import InputError, SchemaMismatch
from backend.features.schema import Block, FeatureSchema

MANIFEST, ROWS = "manifest.json", "windows.parquet"
FORMAT = 1
SIZES = ("dimension", "dim", "size", "width", "length")
"""What others call the length of a block."""


def read_manifest(folder: Path) -> tuple[FeatureSchema, str]:
    """The schema of a snapshot's rows and the sha256 of their file; raises InputError in one sentence.

    Lenient with the names others use, strict with what would make the rows mean something else.
    """
    if not folder.is_dir():
        raise InputError(f"There is no snapshot folder {str(folder)!r}; give the folder with {ROWS} and {MANIFEST}.")
    for name in (MANIFEST, ROWS):
        if not (folder / name).is_file():
            raise InputError(f"The snapshot {str(folder)!r} lacks {name}; it needs {ROWS} and {MANIFEST}.")
    try:
        found = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError) as broken:
        raise InputError(f"{MANIFEST} in {str(folder)!r} cannot be read as JSON: {broken}.") from broken
    if not isinstance(found, dict):
        raise InputError(f"{MANIFEST} in {str(folder)!r} must be an object with `schema`, `rows` and `sha256`.")
    if found.get("format", FORMAT) != FORMAT:
        raise InputError(f"The snapshot {str(folder)!r} has format {found['format']!r}; this program reads {FORMAT}.")
    sha256 = sha256_of(folder / ROWS)
    said = found.get("sha256")
    if said is not None and str(said).lower() != sha256:
        raise InputError(
            f"{ROWS} in {str(folder)!r} is not the file its manifest describes (sha256 {sha256[:12]}…, "
            f"the manifest says {str(said)[:12]}…); copy the snapshot again."
        )
    return _schema(found, folder), sha256


def rows_said(folder: Path) -> int | None:
    """How many rows the manifest promises, None where it does not say."""
    rows = json.loads((folder / MANIFEST).read_bytes()).get("rows")
    return rows if isinstance(rows, int) and not isinstance(rows, bool) else None


def manifest_text(schema: FeatureSchema, rows: int, sha256: str) -> bytes:
    """What manifest.json holds."""
    whole = {"format": FORMAT, "schema": schema.to_json(), "rows": rows, "sha256": sha256}
    return (json.dumps(whole, indent=2, ensure_ascii=False) + "\n").encode()


def identity(schema: FeatureSchema, sha256: str) -> str:
    """The name of a snapshot: 16 hex digits of what is in it."""
    text = json.dumps([sha256, schema.to_json()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def sha256_of(path: Path) -> str:
    """The sha256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _schema(found: Mapping[str, Any], folder: Path) -> FeatureSchema:
    given = found.get("schema", found.get("feature_schema"))
    if isinstance(given, list):
        given = {"blocks": given}
    if not isinstance(given, Mapping):
        raise InputError(f"{MANIFEST} in {str(folder)!r} names no feature schema; `schema` must list the blocks.")
    if not isinstance(given.get("blocks"), list | Mapping):
        # No list of blocks: an object of names and lengths is one, else nobody knows what a vector holds.
        given = {"blocks": given} if all(isinstance(size, int) for size in given.values()) else {"blocks": []}
    parts = given["blocks"].items() if isinstance(given["blocks"], Mapping) else given["blocks"]
    try:
        blocks = tuple(_block(part) for part in parts)
        schema = FeatureSchema(str(given.get("name", "snapshot")), int(given.get("version", 1)), blocks)
    except (KeyError, TypeError, ValueError, SchemaMismatch) as broken:
        raise InputError(f"The feature schema in {str(folder / MANIFEST)!r} cannot be read: {broken!r}.") from broken
    if not blocks or len(schema.slices) < len(blocks) or any(block.dimension < 1 for block in blocks):
        raise InputError(
            f"The feature schema in {str(folder / MANIFEST)!r} must list blocks with different names and lengths "
            "of at least 1."
        )
    return schema


def _block(part: Any) -> Block:
    """One block, given as an object or as a pair of name and length (or object)."""
    if isinstance(part, Mapping):
        size = next(part[name] for name in SIZES if name in part) if set(SIZES) & set(part) else part["dimension"]
        return Block(str(part["name"]), int(size), str(part.get("extractor", "")), int(part.get("version", 1)))
    name, size = part
    return _block({"name": name, **size}) if isinstance(size, Mapping) else Block(str(name), int(size), "")
