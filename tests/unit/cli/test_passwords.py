"""No password anywhere: a DSN where it does not belong is refused, and neither shown nor written down."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

import tsclust
from tests.support.command_tree import COMMANDS, TREE
from tests.support.commands import PLAIN, call_tsclust
from tsclust import config
from tsclust.cli import runtime
from tsclust.config import Rule, Settings
from tsclust.errors import SettingsError, TsclustError
from tsclust.passwords import has_password, redacted

SECRET = "Zq9-s3cret"
DSNS = (
    f"postgresql://u:{SECRET}@h/db",
    f"postgres://u:a {SECRET}/b@h:5432/db?sslmode=require",
    f"postgresql://h/db?user=u&password={SECRET}",
    f"host=127.0.0.1 port=1 user=u password='{SECRET}' dbname=db",
    f"mysql://u:{SECRET}@h/db",
)
DSN = DSNS[0]
OPTIONS = [(words, option) for words in COMMANDS for option in TREE[words].params if not getattr(option, "is_flag", 0)]


def nowhere(folder: Path, *said: str) -> None:
    """The password is in nothing that was said, and in no file nor its name."""
    assert not [text for text in said if SECRET in text]
    for path in folder.rglob("*"):
        assert SECRET not in str(path)
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path


def given(words: str, option: Any, dsn: str) -> list[str]:
    """The command with the option, or argument, set to a DSN."""
    value = [option.opts[0], dsn] if option.opts[0].startswith("-") else [dsn]
    return [*words.split(), *value]


@pytest.mark.parametrize("words", COMMANDS)
def test_a_flag_with_a_password_is_refused_and_not_shown(initialised: Path, words: str, tmp_path: Path) -> None:
    options = [option for of, option in OPTIONS if of == words]
    assert options
    for option in options:
        for dsn in DSNS:
            place = [] if "--workspace" in option.opts else ["-w", str(initialised)]
            done = call_tsclust(*given(words, option, dsn), *place)
            assert (done.returncode, done.stdout) == (SettingsError.exit_code, "")
            assert "there is a password on the command line" in done.stderr
            nowhere(tmp_path, done.stdout, done.stderr)


QUICK = [(words, option) for words, option in OPTIONS if words not in {"demo", "init"}]


@pytest.mark.parametrize("words", sorted({words for words, _ in QUICK}))
def test_what_gets_past_that_is_not_shown_either(
    initialised: Path, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when it comes from a program that calls these functions."""
    monkeypatch.setattr(runtime, "_refuse_passwords", lambda _: None)
    for option in [option for of, option in QUICK if of == words and option.name != "to_table"]:
        place = [] if "--workspace" in option.opts else ["-w", str(initialised)]
        done = call_tsclust(*given(words, option, DSN), *place)
        assert done.returncode > 0
        nowhere(tmp_path, *(() if done.returncode == 2 else (done.stdout, done.stderr)))  # 2: words that nobody refused


def settings_of(model: type[BaseModel], *names: str) -> Iterator[tuple[str, ...]]:
    """The path of every key but the DSN."""
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from settings_of(inner, *names, name)
        elif field.annotation is not SecretStr and name != "rule":
            yield (*names, name)


KEYS = list(settings_of(Settings))


@pytest.mark.slow
@pytest.mark.parametrize("dsn", DSNS)
def test_a_setting_with_a_password_is_refused_and_not_shown(
    tmp_path: Path, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    toml = tmp_path / "tsclust.toml"
    quoted = json.dumps(dsn)
    for section, key in KEYS:
        for value in (quoted, f"[{quoted}]"):
            toml.write_text(f"[{section}]\n{key} = {value}\n", encoding="utf-8")
            not_shown(toml)
        toml.write_text(f"[{section}]\n{quoted} = 1\n", encoding="utf-8")
        not_shown(toml)
        toml.write_text("", encoding="utf-8")
        for value in (dsn, quoted, f"[{quoted}]"):
            with monkeypatch.context() as changed:
                changed.setenv(f"TSCLUST_{section}__{key}".upper(), value)
                not_shown(toml)
    for name in Settings.model_fields.keys() - {"dsn"}:
        for value in (dsn, quoted, f"[{quoted}]", json.dumps({"x": dsn})):
            with monkeypatch.context() as changed:
                changed.setenv(f"TSCLUST_{name.upper()}", value)
                not_shown(toml)
            toml.write_text(f"{name} = {quoted}\n", encoding="utf-8")
            not_shown(toml)
            toml.write_text("", encoding="utf-8")
    for field in Rule.model_fields:
        rule = {"name": "a", "when": "max > 1", "reason": "b"} | {field: dsn}
        toml.write_text("[[rule]]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in rule.items()), encoding="utf-8")
        not_shown(toml)
    with pytest.raises(SettingsError, match="contains a password: expected none there") as refused:
        tsclust.init(tmp_path / "new", dsn)
    assert SECRET not in str(refused.value)


def not_shown(toml: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        config.load(toml)
    assert SECRET not in str(refused.value)
    assert refused.value.__suppress_context__ or refused.value.__context__ is None  # nor in a traceback


@pytest.mark.parametrize("dsn", DSNS)
def test_a_dsn_in_its_place_is_not_shown(initialised: Path, dsn: str, tmp_path: Path) -> None:
    """No server answers there."""
    toml = initialised / "tsclust.toml"
    toml.write_text('[source]\ntable = "t"\n', encoding="utf-8")
    local = dsn.replace("@h", "@127.0.0.1:1").replace(":1:5432", ":1").replace("//h/", "//127.0.0.1:1/")
    done = call_tsclust("extract", "-w", initialised, environment={"TSCLUST_DSN": local})
    assert done.returncode == 7
    nowhere(tmp_path, done.stdout, done.stderr)


@pytest.mark.slow
@pytest.mark.parametrize("place", [["--from", DSN], ["-w", DSN], []])
def test_nothing_python_warns_of_shows_it(initialised: Path, place: list[str], tmp_path: Path) -> None:
    workspace = [] if "-w" in place else ["-w", str(initialised)]
    environment = PLAIN | ({} if place else {"TSCLUST_SOURCE__FILES": DSN})
    command = [sys.executable, "-X", "dev", "-m", "tsclust", "extract", *place, *workspace]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert done.returncode == SettingsError.exit_code, done.stderr
    assert "Traceback" not in done.stderr
    nowhere(tmp_path, done.stdout, done.stderr)


def test_a_section_in_a_variable_is_one_line(initialised: Path) -> None:
    done = call_tsclust("status", "-w", initialised, environment={"TSCLUST_SOURCE": "x"})
    assert (done.returncode, done.stderr.count("\n")) == (SettingsError.exit_code, 1)
    assert "environment variable TSCLUST_SOURCE, or one of its keys, is not JSON" in done.stderr


@pytest.mark.parametrize("text", [
    "no connection at postgresql://h:5432/db: see a@b", "http://h:80/x@y", "a.csv:3: expected v@t", "C:/data/a@b.csv",
    "select ':' || x from t where u = 'a@b.c'", "where user = 3 and password = 'x'", "s3://bucket/a:b", "10:30 @ 5",
])  # fmt: skip
def test_what_has_no_password_is_left_alone(text: str) -> None:
    assert not has_password(text)
    assert "password" in text or redacted(text) == text


def test_a_path_that_was_made_of_a_dsn_and_cut_off_is_redacted() -> None:
    for end in range(len("postgresql:/u:Z"), len(DSN)):
        assert "Zq" not in str(TsclustError(f"no file /plant/{DSN.replace('//', '/')[:end]}", "Name one"))
