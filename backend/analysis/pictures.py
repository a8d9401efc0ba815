"""Keyframes on disk, and the extractors that look at them, in a thread of their own while the film is decoded."""

import queue
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from backend.errors import OutputError
from backend.features.base import Extracted, Extractor, Image, ShotMaterial
from backend.media.keyframes import ShotPictures

JPEG_QUALITY = 92
QUEUED_SHOTS = 32


def write_pictures(folder: Path, shot: ShotPictures) -> ShotMaterial:
    """Store a shot's pictures as JPEG and give the stored ones as material: what a later run will see."""
    stored = {path: _encode(image) for path, image in _named(folder, shot)}
    for path, content in stored.items():
        try:
            path.write_bytes(content)
        except OSError as problem:
            raise OutputError(f"Cannot keep pictures in {str(folder.parent)!r}: {problem.strerror}.") from None
    images = [_decode(content) for content in stored.values()]
    return _material(shot.keyframe_at, images)


def read_pictures(folder: Path, index: int, keyframe_at: Sequence[int], clip_frames: int) -> ShotMaterial:
    """The material of a shot from the stored pictures; raises OSError where one is missing."""
    paths = [keyframe_path(folder, number) for number in keyframe_at]
    paths += [_clip_path(folder, index, i) for i in range(clip_frames)]
    return _material(tuple(keyframe_at), [_decode(path.read_bytes()) for path in paths])


def keyframe_path(folder: Path, frame: int) -> Path:
    """Where the picture of a keyframe lies."""
    return folder / f"{frame:07d}.jpg"


def lost_pictures(folder: Path, keyframes: Sequence[Sequence[int]]) -> list[int]:
    """The keyframes of all shots whose pictures are not there."""
    there = {path.name for path in folder.iterdir()} if folder.is_dir() else set[str]()
    return [frame for shot in keyframes for frame in shot if keyframe_path(folder, frame).name not in there]


def _clip_path(folder: Path, index: int, i: int) -> Path:
    return folder / f"clip-{index:05d}-{i:02d}.jpg"


def _named(folder: Path, shot: ShotPictures) -> list[tuple[Path, Image]]:
    named = [(keyframe_path(folder, n), image) for n, image in zip(shot.keyframe_at, shot.keyframes, strict=True)]
    return named + [(_clip_path(folder, shot.index, i), image) for i, image in enumerate(shot.clip)]


def _material(keyframe_at: tuple[int, ...], images: Sequence[Image]) -> ShotMaterial:
    count = len(keyframe_at)
    clip = np.stack(images[count:]) if len(images) > count else None
    return ShotMaterial(0.0, 0.0, tuple(images[:count]), keyframe_at, clip)


def _encode(image: Image) -> bytes:
    return cv2.imencode(".jpg", image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()


def _decode(content: bytes) -> Image:
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise OSError("a stored picture is damaged")
    return np.asarray(image[:, :, ::-1], np.uint8)


@dataclass
class _Made:
    parts: list[Extracted] = field(default_factory=list)

    def joined(self, dimension: int) -> Extracted:
        if not self.parts:
            return Extracted(np.zeros((0, dimension), np.float32))
        faces = tuple(faces for part in self.parts for faces in part.faces)
        return Extracted(np.concatenate([part.vectors for part in self.parts]), faces)


class PictureWorker:
    """Feeds shots to extractors in batches, in a thread. Use as a context; `result` after it ended well."""

    def __init__(self, extractors: Mapping[str, Extractor]) -> None:
        self._extractors = extractors
        self._batch_shots = max((e.batch_shots for e in extractors.values()), default=1)
        self._made = {name: _Made() for name in extractors}
        self._waiting: queue.Queue[ShotMaterial | None] = queue.Queue(QUEUED_SHOTS)
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="pictures", daemon=True)
        self.done = 0

    def __enter__(self) -> "PictureWorker":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._failure = self._failure or InterruptedError()
        self._waiting.put(None)
        self._thread.join()
        if kind is None and self._failure:
            raise self._failure

    def push(self, shot: ShotMaterial) -> None:
        """Hand over the next shot; waits while the queue is full and raises what went wrong in the thread."""
        if self._failure:
            raise self._failure
        self._waiting.put(shot)

    def result(self) -> dict[str, Extracted]:
        """What each extractor made of all shots, in their order."""
        return {name: made.joined(self._extractors[name].dimension) for name, made in self._made.items()}

    def _run(self) -> None:
        batch: list[ShotMaterial] = []
        while True:
            shot = self._waiting.get()
            if shot is not None:
                batch.append(shot)
            if batch and (shot is None or len(batch) >= self._batch_shots) and not self._failure:
                self._extract(batch)
                batch = []
            if shot is None:
                return

    def _extract(self, batch: list[ShotMaterial]) -> None:
        try:
            for name, extractor in self._extractors.items():
                self._made[name].parts.append(extractor.extract(batch))
            self.done += len(batch)
        except Exception as failure:  # noqa: BLE001  handed to the thread that asked
            self._failure = failure
