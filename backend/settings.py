"""Everything that can be set, from `SELECTS_SECTION__NAME` in the environment or `settings.toml` in SELECTS_HOME."""

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from backend.errors import InputError


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


class Settings(BaseSettings):
    """The settings of one process; made once, at the roof, and handed down."""

    model_config = SettingsConfigDict(env_prefix="SELECTS_", env_nested_delimiter="__", frozen=True, extra="forbid")

    home: Path
    models: Models = Models()
    ranking: Ranking = Ranking()

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
    try:
        return Settings(home=home_folder())
    except ValidationError as wrong:
        first = wrong.errors()[0]
        name = "__".join(str(part) for part in first["loc"]).upper()
        raise InputError(f"The setting SELECTS_{name} is wrong: {first['msg']}.") from None
    except SettingsError as wrong:
        raise InputError(f"A SELECTS_ variable of the environment cannot be read, it must be JSON: {wrong}.") from None
    except ValueError as wrong:
        raise InputError(f"The settings file {home_folder() / 'settings.toml'} cannot be read: {wrong}.") from None
