"""Everything that can be set, from `SELECTS_SECTION__NAME` in the environment or `settings.toml` in SELECTS_HOME."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from backend.errors import InputError, UnknownName


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Models(_Section):
    """Pretrained models. `paths` names a local file or folder by extractor; `offline` never asks a model hub."""

    paths: dict[str, Path] = {}
    offline: bool = False


class Ranking(_Section):
    """Weights where no option, content type or genre says otherwise; `clips_per_scene` is at most k a scene."""

    weight_viral: float | None = Field(default=None, ge=0, le=1)
    weight_compelling: float | None = Field(default=None, ge=0, le=1)
    clips_per_scene: int | None = Field(default=None, ge=1)

    @property
    def weights(self) -> tuple[float | None, float | None] | None:
        """Both weights as set, or None where neither is."""
        pair = (self.weight_viral, self.weight_compelling)
        return None if pair == (None, None) else pair


class Database(_Section):
    """Where rows are kept: an SQLAlchemy address of SQLite or PostgreSQL; empty is `selects.db` in SELECTS_HOME."""

    url: str = ""


class Jobs(_Section):
    """The store of durable jobs; empty is `jobs.db` in SELECTS_HOME, or the database itself if it is PostgreSQL.

    beat_file  touched by a worker whenever its heartbeat is in the database, for a health check that asks nobody else
    """

    url: str = ""
    beat_file: Path | None = None


class Media(_Section):
    """`roots` are the folders whose films may be named by path; uploads may be as large as `upload_limit_gib`.

    store      a folder or `s3://bucket/prefix` that all machines share; SELECTS_HOME is then a cache of it
    cache_gib  so much of the store is kept in SELECTS_HOME
    rendered_gib  rendered clips of lists are kept up to this; those asked for longest ago go first
    """

    roots: tuple[Path, ...] = ()
    upload_limit_gib: float = Field(default=64.0, gt=0)
    store: str = ""
    cache_gib: float = Field(default=100.0, gt=0)
    rendered_gib: float = Field(default=100.0, gt=0)


class Analysis(_Section):
    """How films of the library are analysed; `candidates` is how many windows of each are kept as candidates.

    framing  version 2 of the feature schema, for new analyses and snapshots: how shots are framed is a block of its own
    """

    profile: str = "embedded"
    detector: str = "adaptive"
    fast: bool = False
    transcribe: bool = True
    proxy: bool = True
    framing: bool = False
    candidates: int = Field(default=40, ge=1, le=1000)


class Vectors(_Section):
    """The Chroma server. With a `host` one that is run elsewhere; without, `selects up` runs one on loopback."""

    host: str = ""
    port: int = Field(default=8601, ge=1, le=65535)
    ssl: bool = False


class Server(_Section):
    """Where API and pages answer. `public_url` is what people type, where that differs (a proxy in front)."""

    host: str = "127.0.0.1"
    port: int = Field(default=8600, ge=1, le=65535)
    public_url: str = ""


class Security(_Section):
    """Who may: `authentication` may be false on loopback only; failed logins per address and minute are limited.

    webhook_hosts    names or addresses that webhooks may go to although they are not public
    webhook_retry_s  after so long a webhook that was not taken is sent again; then after four times as long, and so on
    """

    authentication: bool = True
    session_days: float = Field(default=30.0, gt=0)
    invitation_days: float = Field(default=7.0, gt=0)
    failed_logins_per_minute: int = Field(default=10, ge=1)
    webhook_hosts: tuple[str, ...] = ()
    webhook_retry_s: float = Field(default=10.0, gt=0)


class Training(_Section):
    """When models are trained by themselves, and what becomes of them.

    cron            minute, hour, day, month, weekday in the machine's time; empty: never by the clock
    new_labels      train as soon as there are so many since the last run; 0: never for that
    new_corrections  likewise of corrections of clusters, for what shots or people are compared by
    promote         a version that passes the gate goes live by itself; else it waits for somebody to promote it
    propose         which of the two models that are trained is proposed: better, mlp or linear
    genre_labels    a genre with so many labels gets a model of its own; viral_clips: so many published clips, likewise
    limit_s         a training that takes longer is ended
    snapshots_kept  so many are kept besides those that versions were trained on
    refused_kept    so many models that the gate refused keep their files, the newest of each slot; cards all stay
    """

    cron: str = "30 3 * * *"
    new_labels: int = Field(default=50, ge=0)
    new_corrections: int = Field(default=25, ge=0)
    promote: bool = True
    propose: Literal["better", "mlp", "linear"] = "better"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    genre_labels: int = Field(default=200, ge=1)
    viral_clips: int = Field(default=100, ge=1)
    limit_s: float = Field(default=3600.0, gt=0)
    snapshots_kept: int = Field(default=5, ge=1)
    refused_kept: int = Field(default=10, ge=0)


class Settings(BaseSettings):
    """The settings of one process; made once, at the roof, and handed down."""

    model_config = SettingsConfigDict(env_prefix="SELECTS_", env_nested_delimiter="__", frozen=True, extra="forbid")

    home: Path
    models: Models = Models()
    ranking: Ranking = Ranking()
    analysis: Analysis = Analysis()
    media: Media = Media()
    database: Database = Database()
    jobs: Jobs = Jobs()
    vectors: Vectors = Vectors()
    server: Server = Server()
    security: Security = Security()
    training: Training = Training()

    @property
    def database_url(self) -> str:
        """Where rows are kept, as SQLAlchemy wants it."""
        return self.database.url or f"sqlite:///{self.home / 'selects.db'}"

    @property
    def jobs_url(self) -> str:
        """Where durable jobs are kept."""
        if self.jobs.url:
            return self.jobs.url
        return self.database.url if self.database.url.startswith("postgresql") else f"sqlite:///{self.home / 'jobs.db'}"

    def listening(self, host: str | None, port: int | None) -> "Settings":
        """These settings with another address for the server, where one is given."""
        given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
        return self.model_copy(update={"server": self.server.model_copy(update=given)})

    @property
    def upload_limit_bytes(self) -> int:
        """The largest upload that is taken."""
        return round(self.media.upload_limit_gib * (1 << 30))

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments over environment over the settings file."""
        file = TomlConfigSettingsSource(settings_cls, toml_file=home_folder() / "settings.toml")
        return init_settings, env_settings, file


def home_folder() -> Path:
    """Where everything kept between runs lies: SELECTS_HOME, else `selects` in the user's data folder."""
    if named := os.environ.get("SELECTS_HOME"):
        return Path(named).expanduser().absolute()
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(data).expanduser().absolute() / "selects"


def load_settings() -> Settings:
    """The settings of this process; raises InputError with the name of the setting that is wrong."""
    _require_known_sections()
    try:
        return Settings(home=home_folder())
    except ValidationError as wrong:
        first = wrong.errors()[0]
        section, *names = (str(part).lower() for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise UnknownName("setting", _variable(section, *names), _known(section if names else "")) from None
        raise InputError(f"The setting {_variable(section, *names)} is wrong: {first['msg']}.") from None
    except SettingsError as wrong:
        said = f"{_not_json() or 'A SELECTS_ variable of the environment'} cannot be read, it must be JSON"
        raise InputError(f"""{said}, such as '["one", "two"]' or '{{"name": "value"}}': {wrong}.""") from None
    except ValueError as wrong:
        raise InputError(f"The settings file {home_folder() / 'settings.toml'} cannot be read: {wrong}.") from None


def _variable(*parts: str) -> str:
    """A setting as the environment names it."""
    return "SELECTS_" + "__".join(parts).upper()


def _known(section: str) -> list[str]:
    """The settings of a section; where there is no such section, all sections."""
    named = Settings.model_fields.get(section)
    if named is not None and isinstance(named.annotation, type) and issubclass(named.annotation, _Section):
        return [_variable(section, name) for name in named.annotation.model_fields]
    return [f"{_variable(name)}__…" for name in Settings.model_fields if name != "home"]


def _given() -> Iterator[tuple[str, str]]:
    """The variables of the environment that are settings in sections; pydantic passes over those of unknown ones."""
    return ((name, said) for name, said in os.environ.items() if name.upper().startswith("SELECTS_") and "__" in name)


def _require_known_sections() -> None:
    for name, _ in _given():
        section = name.partition("_")[2].partition("__")[0].lower()
        if section not in Settings.model_fields:
            raise UnknownName("setting", name, _known(section))


def _not_json() -> str:
    """The first variable of a setting of several values that is not JSON; empty where there is none."""
    for name, said in _given():
        section, _, field = name.partition("_")[2].lower().partition("__")
        default = getattr(Settings.model_fields[section].default, field, None)
        if isinstance(default, (tuple, dict)):
            try:
                json.loads(said)
            except ValueError:
                return name
    return ""
