"""Where weights that come with no wheel come from: a path, SELECTS_HOME, a shared cache, the network; or one error."""

import json
import logging
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from http.client import HTTPException, IncompleteRead
from pathlib import Path
from typing import IO, Any

from backend.errors import MissingWeights
from backend.files import file_atomically

TIMEOUT_S = 5.0
WORTH_SAYING_BYTES = 10 << 20
BLOCK_BYTES = 1 << 20
NOT_FOUND = 404
log = logging.getLogger(__name__)


def missing(extractor: str, what: str, reason: str) -> MissingWeights:
    """The error that names the weights, why they are not here, and the way out."""
    setting = json.dumps({extractor: "/path/to/weights"})
    return MissingWeights(
        f"The weights of {what} are missing ({reason}); download them where there is a network and set "
        f"SELECTS_MODELS__PATHS='{setting}', allow network access, or use what is here: --profile embedded, or a model "
        "that `selects features models` marks."
    )


def given_file(extractor: str, what: str, path: Path, names: Sequence[str]) -> Path:
    """The weight file that `path` names or, if it is a folder, the first of `names` in it; raises MissingWeights."""
    if path.is_file():
        return path
    for name in names:
        if (path / name).is_file():
            return path / name
    reason = f"no {' or '.join(names)} in {str(path)!r}" if path.is_dir() else f"{str(path)!r} does not exist"
    raise missing(extractor, what, reason)


def torch_checkpoints() -> Path:
    """Where torch.hub keeps checkpoints; importing torch to be told costs two seconds."""
    return Path("~/.cache/torch/hub/checkpoints").expanduser()


def hub_folder(extractor: str, what: str, repository: str, names: Sequence[str], *, cache: Path | None) -> Path:
    """The folder with all of these files of a Hugging Face repository, asking no network; raises MissingWeights.

    Looked for in `cache`, then in the cache that other programs of this user share, which is read only.
    """
    from huggingface_hub import try_to_load_from_cache

    kept = _kept(cache, repository)
    if kept and all((kept / name).is_file() for name in names):
        return kept
    shared = [try_to_load_from_cache(repository, name) for name in names]
    if all(isinstance(found, str) for found in shared):
        return Path(str(shared[0])).parent
    here = f"in {str(kept)!r} or " if kept else ""
    raise missing(extractor, what, f"{repository} is not {here}in the local hub cache")


def from_hub(
    extractor: str,
    what: str,
    repository: str,
    names: Sequence[str],
    *,
    cache: Path | None,
    offline: bool,
    optional: Sequence[str] = (),
) -> Path:
    """The folder with these files of a Hugging Face repository, downloaded into `cache` if they are not here.

    `optional` files come along where the repository has them. Raises MissingWeights within seconds.
    """
    try:
        return hub_folder(extractor, what, repository, names, cache=cache)
    except MissingWeights:
        kept = _kept(cache, repository)
        if offline or not kept:
            raise
    from huggingface_hub import constants

    address = f"{constants.ENDPOINT}/{repository}/resolve/main"
    for name in (*optional, *names):
        try:
            _download(what, f"{address}/{name}", kept / name)
        except (OSError, HTTPException) as failed:
            if name in optional and isinstance(failed, urllib.error.HTTPError) and failed.code == NOT_FOUND:
                continue
            reason = f"{repository} is not in {str(kept)!r} and cannot be had from the hub: {type(failed).__name__}"
            raise missing(extractor, what, reason) from None
    return kept


def _kept(cache: Path | None, repository: str) -> Path | None:
    return cache / repository.replace("/", "--") if cache else None


def url_file(extractor: str, what: str, url: str, *, cache: Path | None) -> Path:
    """The file that `url` names, in `cache` or where torch.hub keeps checkpoints, asking no network."""
    name = url.rsplit("/", 1)[-1]
    folders = [folder for folder in (cache, torch_checkpoints()) if folder]
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    raise missing(extractor, what, f"{str(folders[0] / name)!r} does not exist")


def from_url(extractor: str, what: str, url: str, *, cache: Path | None, offline: bool) -> Path:
    """The file at `url`, downloaded into `cache` if it is not here; raises MissingWeights within seconds."""
    try:
        return url_file(extractor, what, url, cache=cache)
    except MissingWeights:
        if offline or not cache:
            raise
    path = cache / url.rsplit("/", 1)[-1]
    try:
        _download(what, url, path)
    except (OSError, HTTPException) as failed:
        reason = f"{str(path)!r} does not exist and {url} cannot be reached: {type(failed).__name__}"
        raise missing(extractor, what, reason) from None
    return path


def _download(what: str, url: str, path: Path) -> None:
    """Get a file whole or not at all; raises OSError or HTTPException, OutputError where it cannot be kept.

    Not by the hub's client: that keeps logs, chunks and locks in the user's cache folder, beside what is asked for.
    """
    if path.is_file():
        return
    with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
        size = int(answer.headers["Content-Length"] or 0)
        if size >= WORTH_SAYING_BYTES:
            log.warning("Downloading %s of %s (%d MB) to %s", path.name, what, size >> 20, path.parent)
        with file_atomically(path) as part, part.open("wb") as file:
            file.writelines(_blocks(answer, size))


def _blocks(answer: IO[bytes], size: int) -> Iterator[bytes]:
    """What is read; raises IncompleteRead where that fails or ends early (an OSError here is none of the disk)."""
    given = 0
    try:
        while block := answer.read(BLOCK_BYTES):
            given += len(block)
            yield block
    except OSError as failed:
        raise IncompleteRead(b"", size - given) from failed
    if given < size:
        raise IncompleteRead(b"", size - given)


def read_state(extractor: str, what: str, path: Path) -> dict[str, Any]:
    """Tensors by name from .safetensors, or from a pickle of tensors alone (weights_only); raises MissingWeights."""
    import pickle

    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError) as broken:
        raise missing(extractor, what, f"{str(path)!r} is not a file of weights: {type(broken).__name__}") from broken
    for wrapped in ("state_dict", "model_state"):
        if isinstance(loaded, Mapping) and isinstance(loaded.get(wrapped), Mapping):
            loaded = loaded[wrapped]
    if not isinstance(loaded, Mapping):
        raise missing(extractor, what, f"{str(path)!r} holds no state dict")
    return {name.removeprefix("module."): value for name, value in loaded.items()}


def fill(extractor: str, what: str, network: Any, state: Mapping[str, Any], path: Path) -> Any:
    """Load `state` into `network` strictly, in evaluation mode; raises MissingWeights where names or shapes differ."""
    try:
        network.load_state_dict(dict(state), strict=True)
    except RuntimeError as differs:
        first = " ".join(str(differs).split())[:200]
        raise missing(extractor, what, f"{str(path)!r} holds another network: {first}") from differs
    return network.eval()


def headless(extractor: str, what: str, network: Any, path: Path, head: str) -> Any:
    """`network` with the weights at `path`, strictly but for those of the classifier, whose names start with `head`.

    Raises MissingWeights as read_state and fill do.
    """
    state = read_state(extractor, what, path)
    kept = {name: value for name, value in state.items() if not name.startswith(head)}
    return fill(extractor, what, network, kept, path)
