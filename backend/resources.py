"""The one place where engines, clients and models are built; each once a process, when it is first asked for."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from backend.database import alone, make_engine, reading
from backend.fresh import Fresh
from backend.jobs.queue import JobQueue
from backend.members.throttle import FailedLogins
from backend.settings import Settings
from backend.store.media import attach, detach

if TYPE_CHECKING:
    from backend.analysis.shelf import Shelf
    from backend.clusters.vectors import Likenesses
    from backend.features.base import Extractor
    from backend.features.moonshine import SpeechRecogniser
    from backend.scoring.live import LiveModels
    from backend.search.chroma import Chroma
    from backend.search.encoders import Encoders
    from backend.search.gallery import Gallery
    from backend.search.titles import TitleVectors


class Resources:
    """What a process holds open. Handed down from the roof; `close` gives it all back."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        attach(settings.home, settings.media.store, settings.media.cache_gib)
        self.failed_logins = FailedLogins(settings.security.failed_logins_per_minute)

    @property
    def home(self) -> Path:
        """Where everything kept between runs lies."""
        return self.settings.home

    @cached_property
    def engine(self) -> Engine:
        """The database, for transactions that write."""
        return make_engine(self.settings.database_url)

    @cached_property
    def reading(self) -> Engine:
        """The same database, for those who only read: on SQLite they never wait for a writer."""
        return reading(self.engine)

    @cached_property
    def alone(self) -> Engine:
        """The same database, for changes of one statement each."""
        return alone(self.engine)

    @cached_property
    def fresh(self) -> Fresh:
        """What was read from the database and is still so."""
        return Fresh(self.engine)

    @cached_property
    def queue(self) -> JobQueue:
        """The way into the store of durable jobs."""
        return JobQueue(self.settings.jobs_url)

    @cached_property
    def chroma(self) -> "Chroma":
        """The client of the vector server."""
        from backend.search.chroma import Chroma

        return Chroma(self.settings.vectors)

    @cached_property
    def gallery(self) -> "Gallery":
        """What is held in memory for searching."""
        from backend.search.gallery import Gallery

        return Gallery(self)

    @cached_property
    def likenesses(self) -> "Likenesses":
        """What items of clusters look like, held for suggestions."""
        from backend.clusters.vectors import Likenesses

        return Likenesses(self)

    @cached_property
    def encoders(self) -> "Encoders":
        """What turns questions into vectors."""
        from backend.search.encoders import Encoders

        return Encoders(self.settings)

    @cached_property
    def titles(self) -> "TitleVectors":
        """What films' plots and posters are compared by."""
        from backend.search.titles import TitleVectors

        return TitleVectors(self)

    @cached_property
    def extractors(self) -> "dict[str, Extractor]":
        """What makes the features of films: those of the settings' profile, and labels for search."""
        from backend.features.registry import build

        models = self.settings.models
        paths = {name: str(path) for name, path in models.paths.items()}
        return build(
            self.settings.analysis.profile,
            paths=paths,
            cache=self.home / "networks",
            offline=models.offline,
            extras=("labels", *(("framing",) if self.settings.analysis.framing else ())),
        )

    @cached_property
    def shelf(self) -> "Shelf":
        """Analysed films in memory, for scoring and the pages."""
        from backend.analysis.shelf import Shelf

        return Shelf(self.home)

    @cached_property
    def live(self) -> "LiveModels":
        """The trained models that clips are scored with."""
        from backend.scoring.live import LiveModels

        return LiveModels(self)

    def recogniser(self) -> "SpeechRecogniser":
        """Speech recognition, loaded at its first use."""
        return self._recogniser

    @cached_property
    def _recogniser(self) -> "SpeechRecogniser":
        from backend.features.moonshine import SpeechRecogniser

        return SpeechRecogniser()

    def close(self) -> None:
        """Give back what was opened."""
        if "live" in self.__dict__:
            self.live.close()
        if "queue" in self.__dict__:
            self.queue.close()
        if "chroma" in self.__dict__:
            self.chroma.close()
        if "fresh" in self.__dict__:
            self.fresh.close()
        if "engine" in self.__dict__:
            self.engine.dispose()
        detach(self.home)
