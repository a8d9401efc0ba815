"""The one place where engines, clients and models are built; each once a process, when it is first asked for."""

from functools import cached_property
from pathlib import Path

from sqlalchemy import Engine

from backend.database import make_engine
from backend.jobs.queue import JobQueue
from backend.settings import Settings


class Resources:
    """What a process holds open. Handed down from the roof; `close` gives it all back."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

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
        """The same database, for transactions that only read: on SQLite they never wait for a writer."""
        return self.engine.execution_options(reads_only=True)

    @cached_property
    def queue(self) -> JobQueue:
        """The way into the store of durable jobs."""
        return JobQueue(self.settings.jobs_url)

    def close(self) -> None:
        """Give back what was opened."""
        if "queue" in self.__dict__:
            self.queue.close()
        if "engine" in self.__dict__:
            self.engine.dispose()
