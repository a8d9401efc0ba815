"""Opens a folder as transformers saves it, strictly and in silence."""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from backend.features.weights import given_file, missing

CONFIG = "config.json"
NAMES = ("model.safetensors", "pytorch_model.bin")


def read_config(extractor: str, what: str, path: Path) -> dict[str, Any]:
    """A JSON object beside the weights; raises MissingWeights where it is none."""
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, ValueError, TypeError) as broken:
        raise missing(extractor, what, f"{str(path)!r} is not JSON") from broken


def require_config(extractor: str, what: str, folder: Path, expected: Mapping[str, Any]) -> None:
    """Raise MissingWeights unless config.json says what is expected of this model, or says nothing of it."""
    config = read_config(extractor, what, folder / CONFIG)
    for name, value in expected.items():
        if config.get(name, value) != value:
            raise missing(extractor, what, f"{str(folder)!r} has {name} {config[name]!r}; {value!r} is needed")


def given_folder(extractor: str, what: str, given: Path, needed: tuple[str, ...] = ()) -> Path:
    """The folder with config.json, weights and what else is `needed`; raises MissingWeights."""
    folder = given.parent if given.is_file() else given
    given_file(extractor, what, folder / CONFIG, (CONFIG,))
    given_file(extractor, what, folder, NAMES)
    for name in needed:
        given_file(extractor, what, folder / name, (name,))
    return folder


def open_pretrained(extractor: str, what: str, kind: str, folder: Path, **settings: Any) -> Any:
    """The network of transformers' class `kind` in evaluation mode, of a folder with config.json and weights.

    Tensors of another task's head are left; raises MissingWeights where one that is needed is missing or broken.
    """
    import pickle

    from safetensors import SafetensorError

    from backend.features import torchvision_ops  # noqa: F401  (transformers imports torchvision)

    import transformers  # isort: skip

    made: Any = getattr(transformers, kind)
    try:
        with silence():
            loaded: Any = made.from_pretrained(
                folder, local_files_only=True, weights_only=True, output_loading_info=True, **settings
            )
    except (SafetensorError, pickle.UnpicklingError, OSError, ValueError, RuntimeError) as broken:
        raise missing(extractor, what, f"{str(folder)!r} cannot be read: {type(broken).__name__}") from broken
    network, report = loaded
    lacking = sorted(report["missing_keys"])
    if lacking:
        raise missing(extractor, what, f"{str(folder)!r} lacks {len(lacking)} tensors, the first is {lacking[0]!r}")
    return network.eval()


@contextmanager
def silence() -> Iterator[None]:
    """Keep transformers' bars and its table of tensors from the terminal: the checkpoint's head is surplus, and what
    is wrong becomes one error of ours.
    """
    from transformers.utils import logging as typed

    theirs: Any = typed
    level, bars = theirs.get_verbosity(), theirs.is_progress_bar_enabled()
    theirs.set_verbosity(logging.CRITICAL)
    theirs.disable_progress_bar()
    try:
        yield
    finally:
        theirs.set_verbosity(level)
        if bars:
            theirs.enable_progress_bar()
