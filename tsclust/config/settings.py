"""What may be set, with the defaults: the tables and keys of tsclust.toml."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from tsclust.config.kept import PLACES
from tsclust.config.log import Log
from tsclust.config.stream import Stream
from tsclust.config.texts import MISSING, parse_k, parse_share
from tsclust.workspace.manifest import MadeWith


def _share_or_nothing(text: str) -> str:
    if text:
        parse_share(text)
    return text


Share = Annotated[str, AfterValidator(_share_or_nothing)]  # "20%"; "" for none


class Section(BaseModel):
    """A table of tsclust.toml: a key we do not know is an error, not a silent nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(Section):
    """Where series come from: a table, any query that gives the id and the values, or files. "" = find it.

    merge: rows of one id are one series, whatever else says that they are not.
    """

    LATER: ClassVar[frozenset[str]] = frozenset({"longest", "merge", "missing", "time_format", "times"})  # came later

    table: str = ""
    query: str = ""
    files: str = ""
    layout: Literal["auto", "array", "long", "wide"] = "auto"
    id: str = ""
    values: str = ""
    order: str = ""
    carry: tuple[str, ...] = ("*",)
    missing: tuple[str, ...] = MISSING
    time_format: str = ""
    times: tuple[str, ...] = ("*",)
    where: str = ""
    limit: int = Field(default=0, ge=0)
    sample: str = "100%"
    watermark: str = ""
    merge: bool = False
    longest: int = Field(default=5_000_000, ge=1, le=2_000_000_000)
    part_rows: int = Field(default=65_536, ge=1, le=10_000_000)
    workers: int = Field(default=2, ge=1, le=64)
    retries: int = Field(default=5, ge=0, le=20)

    @field_validator("sample")
    @classmethod
    def _a_share(cls, text: str) -> str:
        parse_share(text)
        return text

    @model_validator(mode="after")
    def _one_place(self) -> Source:
        if self.query and (self.table or self.files):
            raise ValueError(f"query and {'table' if self.table else 'files'} are both set: expected only one of them")
        return self

    @property
    def has_place(self) -> bool:
        """Whether it says where series are."""
        return any(getattr(self, name) for name in PLACES)

    @property
    def share(self) -> float:
        """The share of the series to read: 0 < share <= 1."""
        return parse_share(self.sample)


class Rule(Section):
    """A condition under which a series cannot be real."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    when: str = Field(min_length=1, max_length=2_000)
    reason: str = Field(min_length=1, max_length=500)


class Features(Section):
    peak: Literal["auto", "max", "min"] = "auto"
    extra: str = ""
    skip: tuple[str, ...] = ()


class Cluster(Section):
    """How groups are found. baseline: () compares with all series; None, not set: nobody has chosen yet."""

    k: str = "2..40"
    scaling: Literal["exceedance", "robust", "standard"] = "exceedance"
    baseline: tuple[str, ...] | None = None
    regimes: bool = True
    shapes: bool = True
    seed: int = Field(default=1, ge=0, le=2**31 - 1)
    restarts: int = Field(default=4, ge=1, le=100)
    coreset: int = Field(default=20_000, ge=100, le=1_000_000)
    groups: int = Field(default=40, ge=1, le=1_000)

    @field_validator("baseline", mode="before")
    @classmethod
    def _off(cls, columns: object) -> object:
        """`--baseline ''` switches it off."""
        return () if columns in ("", [""], ("",)) else columns

    @field_validator("k")
    @classmethod
    def _a_sweep(cls, text: str) -> str:
        parse_k(text)
        return text

    @property
    def baseline_columns(self) -> tuple[str, ...]:
        """The carried columns that series are compared within; () where it is off or not set."""
        return self.baseline or ()

    @property
    def ks(self) -> tuple[int, ...]:
        """Every k asked for, ascending."""
        return parse_k(self.k)


class Report(Section):
    title: str = Field(default="", max_length=200)
    lang: Literal["en", "ru"] = "en"
    members: int = Field(default=12, ge=1, le=50)
    charts: bool = True
    split: int = Field(default=0, ge=0, le=1_000)
    sheet: int = Field(default=50, ge=0, le=1_000)
    quantity: str = Field(default="", max_length=60)
    unit: str = Field(default="", max_length=20)
    sample_seconds: float = Field(default=0.0, ge=0.0, le=1e9, allow_inf_nan=False)
    names: dict[str, Annotated[str, Field(max_length=60)]] = Field(default_factory=dict)


class Run(Section):
    """When `run` sweeps anew by itself: at so many further series, as a share; "" = never."""

    sweep_after: Share = ""


class Labels(Section):
    """Which of contradictory labels counts: `majority`, `newest`, a labeller's; "": none of them."""

    resolve: str = Field(default="", max_length=100)


class Train(Section):
    """How a classifier is made. machine: the column that names one; "" = the first of the baseline.

    "don't know" is said so often that `reject_errors` of the errors is not made, but no more often than leaves `answer`
    of the series answered; "" for either: it does not count.
    """

    machine: str = ""
    reject_errors: Share = "80%"
    answer: Share = "90%"
    assume_normal: bool = True


class History(Section):
    """How much of what was replaced is kept: of each stage, of each page and of the models."""

    keep: int = Field(default=5, ge=0, le=1_000)


class Engine(Section):
    """Who does the parts: the workers of the Dask cluster at `scheduler`, dask://HOST:PORT or tls://HOST:PORT; "": this
    machine. The others: files in PEM format, where they are not in Dask's own settings."""

    scheduler: str = ""
    tls_ca_file: str = ""
    tls_cert: str = ""
    tls_key: str = ""


class Settings(BaseSettings):
    """All of tsclust.toml. The DSN is a secret: its repr is masked and no manifest holds it."""

    model_config = SettingsConfigDict(
        env_prefix="TSCLUST_", env_nested_delimiter="__", extra="forbid", frozen=True, env_ignore_empty=True
    )

    dsn: SecretStr = SecretStr("")
    source: Source = Source()
    features: Features = Features()
    rule: tuple[Rule, ...] | None = None
    cluster: Cluster = Cluster()
    report: Report = Report()
    labels: Labels = Labels()
    train: Train = Train()
    history: History = History()
    log: Log = Log()
    run: Run = Run()
    engine: Engine = Engine()
    stream: Stream = Stream()

    _differences: MadeWith = PrivateAttr(default_factory=dict)
    _forgotten: MadeWith = PrivateAttr(default_factory=dict)

    def differences(self, *sections: str) -> MadeWith:
        """In what of these sections (none named: of all) these settings differ from tsclust.toml."""
        return {name: keys for name, keys in self._differences.items() if name in sections or not sections}

    def forgotten(self, *sections: str) -> MadeWith:
        """What stages were made with and no longer counts: tsclust.toml was changed there, or the source is another."""
        return {name: keys for name, keys in self._forgotten.items() if name in sections}

    @field_validator("rule")
    @classmethod
    def _names_of_their_own(cls, rules: tuple[Rule, ...] | None) -> tuple[Rule, ...] | None:
        names = [rule.name for rule in rules or ()]
        for name in names:
            if names.count(name) > 1 or name == "not_described":
                raise ValueError(f"the name {name} is taken: expected a different one for each rule")
        return rules
