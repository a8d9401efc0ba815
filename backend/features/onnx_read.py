"""Reads the weights out of an ONNX file, without the `onnx` package: the counterpart of onnx_write.py."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

GRAPH, INITIALIZER = 7, 5
DIMS, KIND, FLOATS, NAME, RAW = 1, 2, 4, 8, 9
FLOAT32 = 1


def initializers(path: Path) -> dict[str, NDArray[np.float32]]:
    """The float32 weights of the file's graph, by name; raises ValueError where it cannot be read as ONNX."""
    data = memoryview(path.read_bytes())
    found: dict[str, NDArray[np.float32]] = {}
    for number, graph in _fields(data):
        if number != GRAPH:
            continue
        for inner, tensor in _fields(graph):
            if inner == INITIALIZER:
                name, values = _tensor(tensor)
                if values is not None:
                    found[name] = values
    return found


def _tensor(data: Any) -> tuple[str, NDArray[np.float32] | None]:
    """Name and values; None for other types than float32."""
    shape: list[int] = []
    name, kind, raw = "", 0, memoryview(b"")
    for number, value in _fields(data):
        if number == DIMS:
            shape += [value] if isinstance(value, int) else _packed(value)
        elif number == KIND:
            kind = value
        elif number == NAME:
            name = bytes(value).decode()
        elif number in (FLOATS, RAW):
            raw = value
    if kind != FLOAT32:
        return name, None
    return name, np.frombuffer(raw, "<f4").reshape(shape).astype(np.float32)


def _fields(data: Any) -> Iterator[tuple[int, Any]]:
    """Number and value of each protobuf field: int for varints, bytes for the rest."""
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, position = _varint(data, position)
            yield number, value
            continue
        if wire not in (1, 2, 5):
            raise ValueError(f"not a protobuf file: wire type {wire}")
        size, position = _varint(data, position) if wire == 2 else ({1: 8, 5: 4}[wire], position)
        yield number, data[position : position + size]
        position += size


def _packed(data: Any) -> list[int]:
    values, position = [], 0
    while position < len(data):
        value, position = _varint(data, position)
        values.append(value)
    return values


def _varint(data: Any, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(data):
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, position
    raise ValueError("not a protobuf file: it ends too soon")
