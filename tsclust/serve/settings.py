"""[serve] of serve.toml in the folder of workspaces, and TSCLUST_SERVE__*: what the service may take on."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError as BadVariableError

from tsclust import config
from tsclust.config import Source
from tsclust.config.explained import explained
from tsclust.config.refusals import not_json, refuse_passwords
from tsclust.config.settings import Section
from tsclust.errors import SettingsError
from tsclust.workspace.commands import command

FILE = "serve.toml"


class ServedSource(Source):
    """A source that jobs may be asked for by its name. dsn: of its server, "" for TSCLUST_DSN."""

    dsn: SecretStr = SecretStr("")


class ServeSettings(Section):
    """What the service may take on.

    jobs_dsn      a PostgreSQL that keeps the queue of jobs, "" for an embedded one
    jobs          how many run at a time;  job_hours: a job that runs longer is ended
    upload_mb     the largest upload;  uploads_mb: of all that are kept;  upload_days: how long one is
    request_mb    the largest body of a request for scores;  bundle_mb: the largest bundle of a model
    held_mb       the bodies of all requests that are held in memory at a time
    unpacked_mb   what a request or a bundle may unpack to
    rows          series in one request;  waiting: series of all requests that wait for an answer
    values        of one series;  seconds: that a request waits for its scores
    loaded        models in memory at a time: the least used one has to go
    files         the folder below which {"path": ...} may name files, "" for none
    hosts         names by which the service is called, beside those of this machine
    proxies       addresses of proxies that are believed who asks, and whether by HTTPS (X-Forwarded-For, -Proto)
    sources       name -> a source that jobs may read
    """

    jobs_dsn: SecretStr = SecretStr("")
    jobs: int = Field(default=1, ge=1, le=32)
    job_hours: float = Field(default=24.0, gt=0, le=1_000)
    upload_mb: int = Field(default=2_000, ge=1, le=1_000_000)
    uploads_mb: int = Field(default=20_000, ge=1, le=10_000_000)
    upload_days: float = Field(default=7.0, gt=0, le=10_000)
    request_mb: int = Field(default=64, ge=1, le=2_000)
    bundle_mb: int = Field(default=64, ge=1, le=2_000)
    held_mb: int = Field(default=256, ge=1, le=100_000)
    unpacked_mb: int = Field(default=512, ge=1, le=2_000)
    rows: int = Field(default=100_000, ge=1, le=10_000_000)
    waiting: int = Field(default=400_000, ge=1, le=100_000_000)
    values: int = Field(default=100_000, ge=1, le=2_000_000_000)
    seconds: float = Field(default=60.0, gt=0, le=3_600)
    loaded: int = Field(default=4, ge=1, le=1_000)
    files: str = ""
    hosts: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    sources: dict[str, ServedSource] = Field(default_factory=dict)


class _File(BaseSettings):
    """serve.toml: the table [serve] alone."""

    model_config = SettingsConfigDict(
        env_prefix="TSCLUST_", env_nested_delimiter="__", extra="forbid", frozen=True, env_ignore_empty=True
    )

    serve: ServeSettings = ServeSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment before the file, whose values come as arguments."""
        return env_settings, init_settings


def load(root: Path) -> ServeSettings:
    """The settings for the workspaces in the folder `root`. Raises SettingsError."""
    refuse_passwords(str(root), "-w")  # it would become the name of a folder
    if (root / "tsclust.toml").exists():
        raise SettingsError(
            f"{root} is a workspace: expected the folder that workspaces are in",
            f"Name the folder above it: {command('serve', root.absolute().parent)}",
        )
    path = root / FILE
    try:
        found = _File(**config.read(path)).serve
    except BadVariableError as error:
        raise not_json(error) from None
    except ValidationError as error:
        raise explained(error, path, {}, _File, {}) from None
    refuse_passwords(found.model_dump(exclude={"jobs_dsn": True, "sources": {"__all__": {"dsn"}}}), "serve")
    if found.files and not (root / found.files).is_dir():
        raise SettingsError(
            f"[serve] files = {found.files!r}: there is no such folder in {root}", f"Make it, or correct {path}"
        )
    return found
