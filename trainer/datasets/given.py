"""Features that others computed: a file for each clip or film, or the published files with all clips in one."""

import pickle
import re
import zipfile
import zlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from backend.errors import InputError
from backend.features.schema import Block, FeatureSchema
from trainer.datasets.progress import PreparingBars

SUFFIXES = (".npy", ".npz", ".parquet")
YEAR = re.compile(r"\d{4}")
WORDS = frozenset(("description", "clip_name", "plot", "context", "characters"))
"""Parts of the published features that are made of the metadata: what people wrote about a clip, not the clip."""
UNREADABLE = (OSError, ValueError, KeyError, EOFError, MemoryError, zipfile.BadZipFile, zlib.error)
SAFE = {
    *(("numpy.core.multiarray", name) for name in ("_reconstruct", "scalar")),
    *(("numpy._core.multiarray", name) for name in ("_reconstruct", "scalar")),
    *(("numpy", name) for name in ("ndarray", "dtype")),
    ("numpy._core.numeric", "_frombuffer"), ("numpy.core.numeric", "_frombuffer"),
    ("_codecs", "encode"), ("collections", "OrderedDict"),
}  # fmt: skip
"""All that a pickled array is made of."""

Vectors = NDArray[np.float32]
Spans = NDArray[np.float64]


@dataclass(frozen=True)
class Given:
    """Vectors [D] by video id; of films by IMDb id, vectors [n, D] of parts with their seconds [n, 2].

    left_out  why → how many files or clips were not taken
    """

    schema: FeatureSchema
    clips: Mapping[str, Vectors]
    films: Mapping[str, tuple[Vectors, Spans]]
    left_out: Mapping[str, int]


@dataclass(frozen=True)
class _Part:
    """What a file holds of one id: vectors [n, D], and seconds [n, 2] where it says them."""

    vectors: Vectors
    spans: Spans | None = None


def read_given(folder: Path, clips: Collection[str], films: Collection[str], bars: PreparingBars) -> Given:
    """Features of the listed clips and films in a folder; raises InputError where there are none, or no two fit.

    Folders inside it are blocks of the vector (but for those named after years): a clip or film needs all of them.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder {str(folder)!r}.")
    left_out: Counter[str] = Counter()
    blocks: defaultdict[str, dict[str, _Part]] = defaultdict(dict)
    wanted, outside = {*clips, *films}, WORDS & {*folder.resolve().parts[-2:]}
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    for number, path in enumerate(paths):
        bars("Reading features", number, len(paths))
        block = _block(path.relative_to(folder))
        if outside or WORDS & {*block.split("/"), path.stem}:
            left_out["files made of words about clips, which are no features of clips"] += 1
            continue
        try:
            blocks[block] |= {name: _checked(part) for name, part in _parts(path, wanted)}
        except UNREADABLE:
            left_out["files that cannot be read as numbers"] += 1
    named = {name: parts for name, parts in sorted(blocks.items()) if parts}
    if not named:
        why = "".join(f" ({count} {reason})" for reason, count in left_out.items())
        raise InputError(f"No features of a listed clip or film are in {str(folder)!r}{why}.")
    return _joined(folder, named, clips, left_out)


def _block(path: Path) -> str:
    """`I3D/2011/ID.npy` is of the block "I3D", and so is `I3D/agg/agg_feats_mean.npy`."""
    inner = [part for part in path.parts[:-1] if not YEAR.fullmatch(part) and part != "agg"]
    return "/".join(inner) or "features"


def _joined(
    folder: Path, blocks: Mapping[str, Mapping[str, _Part]], clips: Collection[str], left_out: Counter[str]
) -> Given:
    schema = FeatureSchema(f"given-{folder.resolve().name}", 1, tuple(_width(*item) for item in blocks.items()))
    found_clips: dict[str, Vectors] = {}
    found_films: dict[str, tuple[Vectors, Spans]] = {}
    for name in sorted({name for parts in blocks.values() for name in parts}):
        parts = [of_block[name] for of_block in blocks.values() if name in of_block]
        if len(parts) < len(blocks):
            left_out["clips or films that lack a part of the vector"] += 1
        elif any(part.vectors.shape[1] != block.dimension for part, block in zip(parts, schema.blocks, strict=True)):
            left_out["clips or films whose vectors are of another length"] += 1
        elif name in clips:
            found_clips[name] = np.concatenate([part.vectors.mean(axis=0, dtype=np.float64) for part in parts]).astype(
                np.float32
            )
        else:
            spans = parts[0].spans
            if spans is None or any(part.spans is None or not np.array_equal(part.spans, spans) for part in parts):
                left_out["films whose parts have no start_s and end_s, or not the same"] += 1
            else:
                found_films[name] = np.concatenate([part.vectors for part in parts], axis=1), spans
    if not found_clips and not found_films:
        raise InputError(f"No clip or film in {str(folder)!r} has a whole vector: {', '.join(left_out)}.")
    return Given(schema, found_clips, found_films, left_out)


def _width(name: str, parts: Mapping[str, _Part]) -> Block:
    """The block, as long as most of its vectors are."""
    widths = Counter(part.vectors.shape[1] for part in parts.values())
    return Block(name, widths.most_common(1)[0][0], "given")


def _checked(part: _Part) -> _Part:
    """The same as float32 [n, D]; raises ValueError where it is something else or not finite."""
    vectors = np.atleast_2d(np.asarray(part.vectors, np.float32))
    if vectors.ndim != 2 or 0 in vectors.shape or not np.isfinite(vectors).all():
        raise ValueError("no finite vectors")
    if part.spans is None:
        return _Part(vectors)
    spans = np.asarray(part.spans, np.float64)
    if spans.shape != (len(vectors), 2) or not np.isfinite(spans).all() or np.any(spans[:, 1] <= spans[:, 0]):
        raise ValueError("no spans")
    return _Part(vectors, spans)


def _parts(path: Path, wanted: Collection[str]) -> Iterator[tuple[str, _Part]]:
    """What a file holds of wanted ids: of the one it is named after, or of all in a published file."""
    name = path.stem
    if path.suffix.lower() == ".parquet":
        if name in wanted:
            yield name, _of_parquet(path)
    elif path.suffix.lower() == ".npz":
        if name in wanted:
            with np.load(path, allow_pickle=False) as arrays:
                yield name, _of_arrays({key: arrays[key] for key in arrays.files})
    elif name in wanted:
        yield name, _Part(np.load(path, allow_pickle=False))
    else:
        yield from ((key, _Part(value)) for key, value in _published(path).items() if key in wanted)


def _of_arrays(arrays: Mapping[str, Any]) -> _Part:
    vectors = arrays["features"] if "features" in arrays or len(arrays) != 1 else next(iter(arrays.values()))
    timed = "start_s" in arrays and "end_s" in arrays
    return _Part(vectors, np.stack([arrays["start_s"], arrays["end_s"]], axis=1) if timed else None)


def _of_parquet(path: Path) -> _Part:
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    names = [name for name in ("features", "start_s", "end_s") if name in table.column_names]
    return _of_arrays({name: np.array(table[name].to_pylist(), np.float64) for name in names})


def _published(path: Path) -> Mapping[str, Any]:
    """The vectors by clip of a published file: a dictionary that numpy has pickled. Empty for any other file."""
    with path.open("rb") as file:
        version = np.lib.format.read_magic(file)
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        if not header(file)[2].hasobject:
            return {}
        try:
            found = _Arrays(file, encoding="latin1").load()
        except (pickle.UnpicklingError, AttributeError, ImportError, IndexError, TypeError) as broken:
            raise ValueError("not a dictionary of arrays") from broken
    held = found[()] if isinstance(found, np.ndarray) and found.ndim == 0 else found
    if not isinstance(held, dict):
        raise ValueError("not a dictionary of arrays")
    return {key: value for key, value in held.items() if isinstance(key, str) and isinstance(value, np.ndarray)}


class _Arrays(pickle.Unpickler):
    """Reads arrays and dictionaries of them, and nothing that could run: files of others are not trusted."""

    def __init__(self, file: IO[bytes], *, encoding: str) -> None:
        super().__init__(file, encoding=encoding)

    def find_class(self, module: str, name: str) -> Any:
        """One of the few things that an array is made of; raises UnpicklingError for all else."""
        if (module, name) not in SAFE:
            raise pickle.UnpicklingError(f"{module}.{name} is no part of an array")
        return super().find_class(module, name)
