"""Settings: precedence, clear errors, a DSN that stays secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from tsclust import config
from tsclust.errors import SettingsError


def written(folder: Path, text: str) -> Path:
    path = folder / "tsclust.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_flag_before_environment_before_file_before_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, '[cluster]\nk = "2..9"\nseed = 5\nrestarts = 7\n')
    monkeypatch.setenv("TSCLUST_CLUSTER__SEED", "6")
    monkeypatch.setenv("TSCLUST_CLUSTER__K", "2..8")
    cluster = config.load(path, {"cluster": {"k": "2..7", "groups": None}}).cluster
    assert (cluster.k, cluster.seed, cluster.restarts, cluster.groups) == ("2..7", 6, 7, 40)


def test_the_dsn_is_in_no_repr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TSCLUST_DSN", "postgresql://me:s3cret@host/db")
    settings = config.load(written(tmp_path, ""))
    assert settings.dsn.get_secret_value().endswith("host/db")
    assert "s3cret" not in repr(settings) + str(settings) + settings.model_dump_json()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[clutser]\nk = '2..9'", "unknown key clutser.*did you mean cluster"),
        ("[cluster]\nbaselin = []", "unknown key cluster.baselin.*did you mean baseline"),
        ("[cluster]\nk = '9..2'", "cluster.k = '9..2'.*expected k from 2 to 200"),
        ("[cluster]\nk = '2..200'", "'2..200' has 20,099 clusters in all: expected at most 5,049, as 2..100 has"),
        ("[cluster]\nk = 'many'", "'many' is not a sweep: expected for example 2..40"),
        ("[cluster]\nseed = 'one'", "cluster.seed = 'one'.*valid integer"),
        ("[features]\npeak = 'up'", "features.peak = 'up'.*'auto', 'max' or 'min'"),
        ("[source]\ntable = 'a'\nquery = 'b'", "query and table are both set"),
        ("[[rule]]\nname = 'A b'\nwhen = 'x'\nreason = 'r'", "rule.0.name = 'A b'"),
        ("[cluster", "not valid TOML"),
        ("dsn = 5", r"dsn = \*\*\*"),
        ("[stream]\npassword = 5", r"stream.password = \*\*\*"),
    ],
)
def test_a_wrong_setting_is_one_line_with_the_key_and_the_value(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told) as error:
        config.load(written(tmp_path, text))
    assert "\n" not in str(error.value)


def test_a_wrong_environment_variable_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TSCLUST_CLUSTER__SEED", "one")
    with pytest.raises(SettingsError, match="environment variable TSCLUST_CLUSTER__SEED = 'one'"):
        config.load(written(tmp_path, ""))


def test_a_wrong_flag_is_named_and_not_the_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^--lang 'de': expected 'en' or 'ru'\. Correct it on the command line"):
        config.load(written(tmp_path, ""), {"report": {"lang": "de"}})
    path = written(tmp_path, "[report]\nmembers = 99")
    with pytest.raises(SettingsError, match=f"^report.members = 99: .* Correct it .file: {path}"):
        config.load(path, {"report": {"title": "Press"}})


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "tsclust.toml"
    path.write_bytes(b'[report]\ntitle = "\xff"')
    with pytest.raises(SettingsError, match="not UTF-8"):
        config.load(path)


@pytest.mark.parametrize(("text", "ks"), [("2..5", (2, 3, 4, 5)), ("8,2, 5..6", (2, 5, 6, 8)), ("7", (7,))])
def test_sweeps(text: str, ks: tuple[int, ...]) -> None:
    assert config.parse_k(text) == ks


def test_equal_settings_have_equal_hashes(tmp_path: Path) -> None:
    one = config.load(written(tmp_path, '[cluster]\nseed = 2\nk = "2..9"'))
    other = config.load(written(tmp_path, '[cluster]\nk = "2..9"\nseed = 2'))
    assert config.digest(one.cluster) == config.digest(other.cluster)
    assert config.digest(one.cluster) != config.digest(one.model_copy(update={"cluster": config.Cluster()}).cluster)


def test_a_baseline_that_is_off_is_told_from_one_that_nobody_chose(tmp_path: Path) -> None:
    path = tmp_path / "tsclust.toml"
    path.write_text("", encoding="utf-8")
    assert config.load(path).cluster.baseline is None
    assert config.load(path, {"cluster": {"baseline": [""]}}).cluster.baseline == ()
    path.write_text("[cluster]\nbaseline = []\n", encoding="utf-8")
    assert config.load(path).cluster.baseline == ()
    assert config.load(path, {"cluster": {"baseline": ["machine"]}}).cluster.baseline_columns == ("machine",)
