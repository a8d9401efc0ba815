"""Where the weights of the full profile come from: a given path, a hub's local cache, the hub; else one clear error."""

import json
import shutil
import ssl
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from backend.errors import MissingWeights

TIMEOUT_S = 5.0


def missing(extractor: str, what: str, reason: str) -> MissingWeights:
    """The error that names the weights, why they are not here, and the way out."""
    setting = json.dumps({extractor: "/path/to/weights"})
    return MissingWeights(
        f"The weights of {what} are missing ({reason}); download them where there is a network and set "
        f"SELECTS_MODELS__PATHS='{setting}', allow network access, or use --profile embedded."
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


def hub_file(extractor: str, what: str, repository: str, name: str) -> Path:
    """A file of a Hugging Face repository in the local cache, asking no network; raises MissingWeights."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(repository, name)
    if isinstance(found, str):
        return Path(found)
    raise missing(extractor, what, f"{repository} is not in the local hub cache")


def torch_file(extractor: str, what: str, name: str) -> Path:
    """A file in torch's own cache of checkpoints; raises MissingWeights."""
    path = torch_checkpoints() / name
    if path.is_file():
        return path
    raise missing(extractor, what, f"{str(path)!r} does not exist")


def torch_checkpoints() -> Path:
    """Where torch.hub keeps checkpoints; importing torch to be told costs two seconds."""
    return Path("~/.cache/torch/hub/checkpoints").expanduser()


def from_hub(extractor: str, what: str, repository: str, names: Sequence[str], *, offline: bool) -> list[Path]:
    """Files of a Hugging Face repository, from its local cache or the hub; raises MissingWeights within seconds."""
    from huggingface_hub import constants, hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, LocalEntryNotFoundError

    try:
        return [Path(hf_hub_download(repository, name, local_files_only=True)) for name in names]
    except LocalEntryNotFoundError:
        if offline:
            raise missing(
                extractor, what, f"{repository} is not in the local hub cache and the network is off"
            ) from None
    try:
        _reach(f"{constants.ENDPOINT}/{repository}")
        return [Path(hf_hub_download(repository, name, etag_timeout=TIMEOUT_S)) for name in names]
    except (LocalEntryNotFoundError, EntryNotFoundError, HfHubHTTPError, OSError, RuntimeError) as failed:
        reason = f"{repository} is not in the local hub cache and cannot be had from the hub: {type(failed).__name__}"
        raise missing(extractor, what, reason) from None


def _reach(url: str) -> None:
    """Raise URLError where nobody answers: asked first because the hub's client tries for half a minute, aloud."""
    try:
        urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=TIMEOUT_S).close()
    except urllib.error.HTTPError:
        return
    except urllib.error.URLError as failed:
        if not isinstance(failed.reason, ssl.SSLError):
            raise


def from_url(extractor: str, what: str, url: str, folder: Path, *, offline: bool) -> Path:
    """The file at `url`, kept in `folder`; raises MissingWeights within seconds where it cannot be had."""
    path = folder / url.rsplit("/", 1)[-1]
    if path.is_file():
        return path
    if offline:
        raise missing(extractor, what, f"{str(path)!r} does not exist and the network is off")
    temporary = path.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer, temporary.open("wb") as file:
            shutil.copyfileobj(answer, file)
        temporary.replace(path)
    except (urllib.error.URLError, OSError) as failed:
        reason = f"{str(path)!r} does not exist and {url} cannot be reached: {type(failed).__name__}"
        raise missing(extractor, what, reason) from None
    finally:
        temporary.unlink(missing_ok=True)
    return path


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
    if isinstance(loaded, Mapping) and isinstance(loaded.get("state_dict"), Mapping):
        loaded = loaded["state_dict"]
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
