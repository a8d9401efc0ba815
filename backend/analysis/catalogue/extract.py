"""`selects features extract`: which titles are new or changed, their vectors, the files that were asked for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from backend.analysis.catalogue import outputs
from backend.analysis.catalogue.outputs import Format
from backend.analysis.catalogue.pipeline import Progress, Timing, cores, device_here, run
from backend.analysis.catalogue.reading import reader_of
from backend.analysis.catalogue.state import Row, State, open_state
from backend.analysis.catalogue.titles import Title, read_titles
from backend.errors import InputError, MissingWeights
from backend.features.base import Vectors
from backend.features.catalogue.base import Modality, Model
from backend.features.catalogue.registry import build

END_BYTES = 1 << 20
WEIGHTS = (".safetensors", ".bin", ".json", ".txt", ".model", ".pt", ".pth", ".pyth")
FILES_AT_ONCE = 256
SECONDS = 30.0


@dataclass(frozen=True)
class Request:
    """What to extract. `seconds`: of sound, None for all of it."""

    modality: Modality
    model: str
    source: Path
    out: Path
    format: Format = Format.json
    seconds: float | None = SECONDS


@dataclass(frozen=True)
class Extraction:
    """What came of it: titles in the input, done in this run, skipped in all; `device` "" where nothing was to do."""

    titles: int
    done: int
    skipped: int
    device: str
    timing: Timing

    def to_json(self) -> dict[str, object]:
        """The figures as plain JSON values."""
        rate = self.timing.titles / self.timing.wall_s if self.timing.wall_s else None
        figures = {"seconds": self.timing.wall_s, "titles_per_s": rate, "share_in_model": self.timing.share}
        return {"titles": self.titles, "done": self.done, "skipped": self.skipped, "device": self.device, **figures}


Report = Callable[[int], Progress]
"""Is told how many titles are to be done; what comes back is told of each batch."""


def extract(
    request: Request,
    *,
    paths: Mapping[str, Path],
    cache: Path | None,
    offline: bool,
    report: Report = lambda total: lambda done, skipped: None,
) -> Extraction:
    """Extract what is not yet done into `request.out`; `paths`, `cache`, `offline` as in features.registry.build.

    Raises UnknownName, InputError for an input that cannot be used or a folder with other features, MissingWeights,
    OutputError; what is done by then stays.
    """
    model = build(request.modality, request.model, paths=paths, cache=cache, offline=offline)
    titles = read_titles(request.source, request.modality)
    about = _about(model, request)
    with open_state(request.out) as state:
        state.claim(about)
        known = state.stamps()
        todo = [title for title in titles if known.get(title.id) != title.stamp]
        try:
            device, timing = _run(todo, model, request, state, report) if todo else ("", Timing())
            if request.format is Format.json:
                outputs.write_missing_json(request.out, state)
            else:
                outputs.write_table(request.out, state, request.format, model.dimension, about)
        finally:
            skipped = outputs.write_skipped(request.out, state)
        return Extraction(len(titles), timing.titles, skipped, device, timing)


def _run(todo: Sequence[Title], model: Model, request: Request, state: State, report: Report) -> tuple[str, Timing]:
    device = device_here()
    model.load(device)
    _use_cores()
    files = _Files(request.out) if request.format is Format.json else None

    def keep(rows: Sequence[Row]) -> None:
        state.put(rows)
        if files:
            files.add(rows)

    try:
        return device, run(todo, model, reader_of(model, request.seconds), keep, report(len(todo)), device=device)
    finally:
        if files:
            files.write()


class _Files:
    """JSON files, some hundreds at a time: one by one they would take longer than the model."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._waiting: list[tuple[str, Vectors]] = []

    def add(self, rows: Sequence[Row]) -> None:
        self._waiting += [(row.id, row.vector) for row in rows if row.vector is not None]
        if len(self._waiting) >= FILES_AT_ONCE:
            self.write()

    def write(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting:
            outputs.write_json(self._folder, waiting)


def _use_cores() -> None:
    """Where a model runs on torch, all processors but one work in it; that one loads."""
    import sys

    if torch := sys.modules.get("torch"):
        torch.set_num_threads(max(1, cores() - 1))


def _about(model: Model, request: Request) -> dict[str, object]:
    """What decides a vector besides its title."""
    about: dict[str, object] = {
        "modality": model.modality,
        "model": model.name,
        "version": model.version,
        "dimension": model.dimension,
        "weights": weights_stamp(model),
    }
    if model.modality == "audio":
        about["seconds"] = request.seconds or "all"
    return about


def weights_stamp(model: Model) -> str:
    """What tells its weights from others: sizes, and a digest of both ends of each file; raises MissingWeights."""
    try:
        path = model.find()
    except MissingWeights:
        path = model.fetch()
    if path is None:
        return ""
    files = [path]
    if path.is_dir():
        # What else lies in the folder (a README, .DS_Store) decides no vector.
        files = sorted(file for file in path.iterdir() if file.is_file() and file.suffix in WEIGHTS)
    seen = sha256()
    for file in files:
        try:
            with file.open("rb") as opened:
                size = opened.seek(0, 2)
                seen.update(f"{file.name} {size} ".encode())
                for at in (0, max(0, size - END_BYTES)):
                    opened.seek(at)
                    seen.update(opened.read(END_BYTES))
        except OSError as problem:
            raise InputError(f"Cannot read {str(file)!r}: {(problem.strerror or str(problem)).lower()}.") from None
    return seen.hexdigest()[:16]
