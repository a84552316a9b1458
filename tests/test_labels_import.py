"""tsclust labels import: from files of answers to labels, and what is refused."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import tsclust
from tests.answering import answered, form_of, put
from tests.report_workspace import NORMAL, four_kinds, lifelike, write
from tsclust.answers import checksum
from tsclust.errors import AnswersError, SettingsError
from tsclust.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return write(tmp_path / "ws", four_kinds())


@pytest.fixture
def asked(workspace: Workspace) -> dict[str, Any]:
    """What a report about it asks: groups 1 to 4 (short, dip, high, long), and 5, the normal mass."""
    done = tsclust.report(workspace.root, {"report": {"charts": False}})
    return form_of(done.wrote)


def labels(workspace: Workspace) -> pl.DataFrame:
    return pl.read_parquet(workspace.root / "labels" / "labels.parquet")


def given(workspace: Workspace) -> set[tuple[int, str, str]]:
    """(series_id, labeller, kind) of all labels."""
    return set(labels(workspace).select("series_id", "labeller", "kind").rows())


def of(name: str) -> list[int]:
    """The series that a group was made of."""
    return [m.series_id for m in four_kinds() if m.group == name]


def content(workspace: Workspace) -> dict[str, bytes]:
    folder = workspace.root / "labels"
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_answers_become_labels_of_the_members(workspace: Workspace, asked: dict[str, Any], tmp_path: Path) -> None:
    out = [str(series_id) for series_id in of("dip")[:2]]
    said = {
        "1": {"kind": "  worn\u00a0 brushes ", "sure": "likely", "comment": " in frost "},
        "2": {"kind": "obstacle", "not_members": out},
        "3": "dont_know",
        "5": "normal",
    }
    file = put(tmp_path / "answers-report-Anna.json", answered(asked, "Anna", said))
    done = tsclust.labels_import(workspace.root, [file])
    found = labels(workspace)
    assert found.columns == [
        "series_id", "labeller", "verdict", "kind", "sure", "comment", "report", "group", "labelled_at",
    ]  # fmt: skip
    assert found.filter(pl.col("group") == 1).drop("series_id").unique().rows() == [
        ("Anna", "malfunction", "worn brushes", "likely", "in frost", "report", 1, datetime(2026, 1, 1, tzinfo=UTC))
    ]
    expected = {"worn brushes": of("short"), "obstacle": of("dip")[2:], "don't know": of("high"), "normal": of(NORMAL)}
    for kind, series in expected.items():
        assert sorted(found.filter(pl.col("kind") == kind)["series_id"]) == sorted(series), kind
    assert len(found) == sum(map(len, expected.values()))
    assert done.wrote == workspace.root / "labels"
    assert done.facts is not None
    assert (done.facts["rows"], done.facts["labellers"], done.facts["alpha"]) == (len(found), ["Anna"], None)


def test_a_million_or_few_parts_give_the_same_labels(tmp_path: Path) -> None:
    found = []
    for name, made, parts in (("one", four_kinds(), 1), ("more", four_kinds()[::-1], 7)):
        workspace = write(tmp_path / name, made, parts)
        form = form_of(tsclust.report(workspace.root).wrote)
        file = put(tmp_path / f"{name}.json", answered(form, "Anna", {"1": "a", "5": "normal"}))
        tsclust.labels_import(workspace.root, [file])
        found.append(labels(workspace))
    assert found[0].equals(found[1])


def test_the_same_file_twice_changes_nothing(workspace: Workspace, asked: dict[str, Any], tmp_path: Path) -> None:
    file = put(tmp_path / "a.json", answered(asked, "Anna", {"1": "a"}))
    tsclust.labels_import(workspace.root, [file, file])
    before = content(workspace)
    again = tsclust.labels_import(workspace.root, [file])
    assert again.skipped
    assert "1 file known already" in again.notes[0]
    assert content(workspace) == before


def test_a_newer_file_replaces_and_the_history_stays(
    workspace: Workspace, asked: dict[str, Any], tmp_path: Path
) -> None:
    first = put(tmp_path / "1.json", answered(asked, "Anna", {"1": "a", "2": "b"}))
    second = put(tmp_path / "2.json", answered(asked, "Anna", {"1": "c"}, at="2026-02-01T00:00:00.000Z"))
    other = put(tmp_path / "3.json", answered(asked, "Boris", {"2": "b"}))
    tsclust.labels_import(workspace.root, [first])
    tsclust.labels_import(workspace.root, [second, other])
    now = {(i, "Anna", "c") for i in of("short")} | {(i, "Boris", "b") for i in of("dip")}
    assert given(workspace) == now
    history = pl.read_parquet(workspace.root / "labels" / "answers.parquet")
    assert history.select("file", "kind", "in_force").rows() == [
        ("1.json", "a", False), ("1.json", "b", False), ("2.json", "c", True), ("3.json", "b", True),
    ]  # fmt: skip
    kept = [json.loads(path.read_text()) for path in (workspace.root / "labels" / "answers").iterdir()]
    assert sorted(body["labeller"] for body in kept) == ["Anna", "Anna", "Boris"]
    before = given(workspace)
    older = put(tmp_path / "0.json", answered(asked, "Anna", {"1": "z"}, at="2025-12-01T00:00:00.000Z"))
    tsclust.labels_import(workspace.root, [older])
    assert given(workspace) == before


def test_names_that_differ_in_capitals_alone_are_one_kind(
    workspace: Workspace, asked: dict[str, Any], tmp_path: Path
) -> None:
    said = {"1": {"kind": "Износ Щёток", "answered_at": "2025-01-01T00:00:00Z"}, "2": "износ щёток", "3": "NORMAL"}
    tsclust.labels_import(workspace.root, [put(tmp_path / "a.json", answered(asked, "A", said))])
    assert set(labels(workspace)["kind"]) == {"Износ Щёток", "NORMAL (malfunction)"}
    assert set(labels(workspace).filter(pl.col("group") == 3)["verdict"]) == {"malfunction"}


def test_a_malfunction_is_not_called_normal(workspace: Workspace, asked: dict[str, Any], tmp_path: Path) -> None:
    said = {"1": "normal", "2": {"kind": "normal"}, "3": ""}
    tsclust.labels_import(workspace.root, [put(tmp_path / "a.json", answered(asked, "A", said))])
    found = dict(labels(workspace).select("group", "kind").unique().rows())
    assert found == {1: "normal", 2: "normal (malfunction)", 3: "malfunction"}


def test_of_two_answers_about_a_series_the_one_about_fewer_counts(tmp_path: Path) -> None:
    """Groups of a sweep overlap: here group 1 lies within group 2, found at another k."""
    workspace = write(tmp_path / "ws", four_kinds())
    overlap(workspace)
    form = (
        form_of(tsclust.report(workspace.root, group=1).wrote),
        form_of(tsclust.report(workspace.root, group=2).wrote),
    )
    said = [answered(form[0], "A", {"1": "small"}), answered(form[1], "A", {"2": "large"})]
    both = answered({**form[0], "groups": form[0]["groups"] + form[1]["groups"]}, "B", {"1": "small", "2": "large"})
    tsclust.labels_import(workspace.root, [put(tmp_path / "b.json", both)])
    small, large = set(of("short")), set(of("short")) | set(of("dip"))
    assert given(workspace) == {(i, "B", "small") for i in small} | {(i, "B", "large") for i in large - small}
    later = answered(form[1], "A", {"2": "large"}, at="2026-02-01T00:00:00Z")
    tsclust.labels_import(workspace.root, [put(tmp_path / f"{n}.json", b) for n, b in enumerate((said[0], later))])
    assert {row for row in given(workspace) if row[1] == "A"} == {(i, "A", "large") for i in large}
    unsure = answered(form[0], "A", {"1": "mixed"}, at="2026-03-01T00:00:00Z")
    tsclust.labels_import(workspace.root, [put(tmp_path / "u.json", unsure)])  # `mixed` takes no name away
    assert {row for row in given(workspace) if row[1] == "A"} == {(i, "A", "large") for i in large}


def overlap(workspace: Workspace) -> None:
    """Group 2 becomes the union of what were groups 1 and 2, as cluster 0 of the model with k = 2."""
    for path in workspace.parts("clusters"):
        table = pl.read_parquet(path)
        table.with_columns(k02=(pl.col("k05") > 1).cast(pl.UInt8)).write_parquet(path)
    path = workspace.stage("clusters") / "groups.parquet"
    groups = pl.read_parquet(path)
    two = pl.col("group") == 2
    size = groups.filter(pl.col("group") <= 2)["size"].sum()
    change = {"k": 2, "cluster": 0, "size": size}
    groups.with_columns(
        pl.when(two).then(value).otherwise(name).alias(name) for name, value in change.items()
    ).write_parquet(path)


def test_the_normal_mass_leaves_out_what_is_asked_about_by_itself(tmp_path: Path) -> None:
    """A group of nearly everything holds the malfunctions too: to call it normal says nothing of them."""
    workspace = write(tmp_path / "ws", four_kinds())
    for path in workspace.parts("clusters"):
        pl.read_parquet(path).with_columns(k02=pl.lit(1, pl.UInt8)).write_parquet(path)
    path = workspace.stage("clusters") / "groups.parquet"
    groups, mass = pl.read_parquet(path), pl.col("normal")
    whole = {"k": 2, "cluster": 1, "size": groups["size"].sum()}
    groups.with_columns(
        pl.when(mass).then(value).otherwise(name).alias(name) for name, value in whole.items()
    ).write_parquet(path)
    form = form_of(tsclust.report(workspace.root).wrote)
    tsclust.labels_import(workspace.root, [put(tmp_path / "a.json", answered(form, "A", {"5": "normal", "1": "a"}))])
    assert given(workspace) == {(i, "A", "normal") for i in of(NORMAL)} | {(i, "A", "a") for i in of("short")}


def test_labellers_who_disagree(workspace: Workspace, asked: dict[str, Any], tmp_path: Path) -> None:
    said = {"A": {"1": "x", "2": "y", "3": "z"}, "B": {"1": "x", "2": "w", "3": "dont_know"}, "C": {"1": "x", "2": "w"}}
    times = {"A": "2026-03-01T00:00:00Z", "B": "2026-02-01T00:00:00Z", "C": "2026-01-01T00:00:00Z"}
    files = [put(tmp_path / f"{who}.json", answered(asked, who, said[who], at=times[who])) for who in said]
    done = tsclust.labels_import(workspace.root, files)
    assert done.facts is not None
    assert done.facts["conflicts"] == [{"said": "w (B, C); y (A)", "series": len(of("dip"))}]
    assert done.facts["alpha"] == pytest.approx(obvious_alpha(labels(workspace)))
    assert any(f"{len(of('dip'))} series are labelled in contradictory ways" in note for note in done.notes)
    for resolve, dip in (("", None), ("majority", "w"), ("newest", "y"), ("C", "w"), ("A", "y")):
        kinds = in_use(workspace, resolve)
        assert {kinds.get(i) for i in of("dip")} == {dip}, resolve
        assert {kinds.get(i) for i in of("short")} == {"x"}
        assert {kinds.get(i) for i in of("high")} == {"z"}
    with pytest.raises(SettingsError, match=r"resolve = 'D': expected majority, newest or a labeller \(A, B, C\)"):
        tsclust.labels_import(workspace.root, [], {"labels": {"resolve": "D"}})


def in_use(workspace: Workspace, resolve: str) -> dict[int, str]:
    from tsclust.labels import store

    return dict(store.resolved(labels(workspace), resolve).select("series_id", "kind").iter_rows())


def obvious_alpha(found: pl.DataFrame) -> float:
    """1 - observed / expected disagreement, pair by pair (Krippendorff 2011)."""
    said = found.filter(pl.col("verdict") == "malfunction")
    units = [kinds for kinds in said.group_by("series_id").agg("kind")["kind"].to_list() if len(kinds) > 1]
    total = Counter(kind for kinds in units for kind in kinds)
    n = sum(total.values())
    pairs = [
        (a != b) / (len(kinds) - 1)
        for kinds in units
        for i, a in enumerate(kinds)
        for j, b in enumerate(kinds)
        if i != j
    ]
    expected = sum(total[a] * total[b] for a in total for b in total if a != b) / (n * (n - 1))
    return 1 - sum(pairs) / n / expected


def test_objections_are_kept_and_told(workspace: Workspace, asked: dict[str, Any], tmp_path: Path) -> None:
    rejected = asked["rules"][0]["shown"][:2]
    done = tsclust.labels_import(
        workspace.root, [put(tmp_path / "a.json", answered(asked, "Anna", {"rule:flat": rejected}))]
    )
    assert (
        f"Anna says that rule flat rejects real runs: {', '.join(rejected)}; see: tsclust filter --show flat"
        in done.notes
    )
    kept = pl.read_parquet(workspace.root / "labels" / "objections.parquet")
    assert kept["series_id"].to_list() == rejected


def damaged(change: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], str]:
    """A file with this change, its checksum made anew: what somebody would do on purpose."""

    def made(body: dict[str, Any]) -> str:
        body = {key: value for key, value in body.items() if key != "checksum"}
        change(body)
        return json.dumps(body | {"checksum": checksum(body)})

    return made


REFUSED: list[tuple[str, Callable[[dict[str, Any]], str | bytes], str]] = [
    ("empty", lambda body: "", "cut off, or no JSON"),
    ("cut off", lambda body: json.dumps(body)[:-30], "cut off, or no JSON"),
    ("not text", lambda body: b"\xff\xfe\x00", "not UTF-8"),
    ("deep", lambda body: "[" * 100_000, "cut off, or no JSON"),
    ("a list", lambda body: "[]", "no file of answers"),
    ("other format", lambda body: json.dumps(body | {"format": "x"}), "no file of answers"),
    ("newer", lambda body: json.dumps(body | {"version": 2}), "is of version 2, this tsclust knows 1"),
    ("edited", lambda body: json.dumps(body).replace('"x"', '"y"'), "was changed after it was saved"),
    ("unknown key", damaged(lambda body: body.update(more=1)), "more is not as it should be"),
    ("verdict", damaged(lambda body: body["groups"][0].update(verdict="bad")), "verdict is not as it should"),
    ("long kind", damaged(lambda body: body["groups"][0].update(kind="x" * 201)), "kind is not as it should"),
    ("nobody", damaged(lambda body: body.update(labeller="")), "labeller is not as it should"),
    ("no time", damaged(lambda body: body.update(saved_at="soon")), "saved_at is not as it should"),
    ("no zone", damaged(lambda body: body.update(saved_at="2026-01-01T00:00:00")), "saved_at is not as it should"),
    ("surrogate", damaged(lambda body: body["groups"][0].update(comment="\ud800")), "comment is not as it should"),
    ("other members", damaged(lambda body: body["groups"][0].update(members_hash="0" * 32)), "not about the groups of"),
    ("other k", damaged(lambda body: body["groups"][0].update(k=99)), "not about the groups of"),
    ("drill-down", damaged(lambda body: body["groups"][0].update(within=77)), "not about the groups of"),
    ("stranger", damaged(lambda body: body["groups"][0].update(not_members=["x"])), "marks series that are in none"),
    ("no series", damaged(lambda body: body["series"].append(
        {"series_id": "nope", "verdict": "normal", "kind": "", "sure": None, "comment": "",
         "answered_at": "2026-01-01T00:00:00Z"})), "series 'nope', which .* does not have"),
]  # fmt: skip


@pytest.mark.parametrize(("broken", "why"), [(b, w) for _, b, w in REFUSED], ids=[n for n, _, _ in REFUSED])
def test_what_is_not_whole_or_not_ours_is_refused_and_nothing_changes(
    workspace: Workspace,
    asked: dict[str, Any],
    tmp_path: Path,
    broken: Callable[[dict[str, Any]], str | bytes],
    why: str,
) -> None:
    good = put(tmp_path / "good.json", answered(asked, "A", {"1": "x"}))
    tsclust.labels_import(workspace.root, [good])
    before = content(workspace)
    better = put(tmp_path / "better.json", answered(asked, "A", {"1": "z"}, at="2026-02-01T00:00:00Z"))
    bad, made = tmp_path / "bad.json", broken(answered(asked, "B", {"1": "x"}))
    bad.write_bytes(made if isinstance(made, bytes) else made.encode("utf-8", "surrogatepass"))
    with pytest.raises(AnswersError, match=why) as refused:
        tsclust.labels_import(workspace.root, [better, bad])
    assert "\n" not in str(refused.value)
    assert content(workspace) == before


def test_a_huge_file_is_not_read_whole(workspace: Workspace, tmp_path: Path) -> None:
    huge = tmp_path / "huge.json"
    with huge.open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(AnswersError, match=r"at most 20,000,000 are read"):
        tsclust.labels_import(workspace.root, [huge])


def test_another_workspace_s_file_is_refused(workspace: Workspace, asked: dict[str, Any], tmp_path: Path) -> None:
    other = write(tmp_path / "other", [replace(m, series_id=m.series_id + 1) for m in four_kinds()])
    renamed(other)
    for said in ({"1": "x"}, {"rule:flat": ["1"]}):
        file = put(tmp_path / "a.json", answered(asked, "A", said))
        with pytest.raises(AnswersError, match=r"is not about (the groups|any report) of"):
            tsclust.labels_import(other.root, [file])
    assert not (other.root / "labels").exists()


def test_answers_to_an_earlier_sweep_are_taken_when_asked_for(
    workspace: Workspace, asked: dict[str, Any], tmp_path: Path
) -> None:
    """An expert takes a week; by then clusters/ holds another sweep: here the groups have lost their last members."""
    file = put(tmp_path / "a.json", answered(asked, "A", {"1": "x"}))
    swept_again(workspace)
    with pytest.raises(AnswersError, match=r"is about an earlier sweep than .*Its series are still known: add --older"):
        tsclust.labels_import(workspace.root, [file])
    tsclust.labels_import(workspace.root, [file], older=True)
    assert given(workspace) == {(i, "A", "x") for i in of("short")}


def swept_again(workspace: Workspace) -> None:
    """Another sweep in the place of the last one: every cluster has got another number."""
    for path in workspace.parts("clusters"):
        table = pl.read_parquet(path).with_columns(k05=(pl.col("k05") + 1) % 5)
        path.unlink()  # the files of a stage are replaced, never written into
        table.write_parquet(path)
    renamed(workspace)


def renamed(workspace: Workspace) -> None:
    """The hash of the sweep is another."""
    manifest = workspace.stage("clusters") / "manifest.json"
    text = manifest.read_text().replace('"abcd"', '"ef01"')
    manifest.unlink()
    manifest.write_text(text)


def test_a_killed_import_leaves_the_last_labels(workspace: Workspace, asked: dict[str, Any], tmp_path: Path) -> None:
    tsclust.labels_import(workspace.root, [put(tmp_path / "a.json", answered(asked, "A", {"1": "x"}))])
    before = content(workspace)
    half = workspace.root / ".labels.new"
    half.mkdir()
    (half / "labels.parquet").write_bytes(b"half")
    again = tsclust.labels_import(workspace.root, [tmp_path / "a.json"])
    assert again.skipped
    assert not half.exists()
    assert content(workspace) == before


def test_labels_outlive_the_sweep_and_say_what_a_group_was_called(
    workspace: Workspace, asked: dict[str, Any], tmp_path: Path
) -> None:
    said = {"1": "x", "2": "y", "5": "normal"}
    tsclust.labels_import(workspace.root, [put(tmp_path / "a.json", answered(asked, "A", said))])
    swept_again(workspace)
    groups = workspace.stage("clusters") / "groups.parquet"
    shifted = pl.read_parquet(groups).with_columns(cluster=(pl.col("cluster") + 1) % 5)
    groups.unlink()
    shifted.write_parquet(groups)
    new = form_of(tsclust.report(workspace.root).wrote)
    assert [group["name"] for group in new["groups"]] == ["3", "4"]
    assert new["kinds"] == ["y", "x"]
    everything = form_of(tsclust.report(workspace.root, everything=True).wrote)
    assert [group["name"] for group in everything["groups"]] == ["1", "2", "3", "4", "5"]


def test_text_ids_with_anything_in_them(tmp_path: Path) -> None:
    odd = ["a\tb", "a\nb", "'; drop--", "\u202eabc", "x" * 10_000, "", " ", "Ω"]
    made = [replace(m, series_id=f"{odd[i % 8]}{i}") for i, m in enumerate(lifelike())]
    workspace = write(tmp_path / "ws", made)
    form = form_of(tsclust.report(workspace.root).wrote)
    dips = [m.series_id for m in made if m.group == "dip"]
    out = form["groups"][0]["shown"][:3]
    file = put(tmp_path / "a.json", answered(form, "A", {"1": {"kind": "dip", "not_members": out}}))
    tsclust.labels_import(workspace.root, [file])
    assert set(labels(workspace)["series_id"]) == set(dips) - set(out)
