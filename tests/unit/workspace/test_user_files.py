"""What users put into the folder of a stage is there after the stage was made again, or put back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import tsclust
from tests.support.report_workspace import four_kinds, write
from tsclust.errors import TsclustError
from tsclust.simulation.expert import answered, form_of, put
from tsclust.workspace.user_files import take_along, user_files


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write(tmp_path_factory.mktemp("users") / "ws", four_kinds()).root
    form = form_of(tsclust.report(root, {"report": {"charts": False}}).wrote)
    tsclust.labels_import(root, [put(root.parent / "Anna.json", answered(form, "Anna", {"1": "worn"}))])
    return root


@pytest.fixture
def root(swept: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(swept, tmp_path / "ws"))


def again(root: Path) -> None:
    """Another labels/ in the place of the one that is there."""
    form = form_of(root / "reports" / "report.html")
    tsclust.labels_import(root, [put(root.parent / "Boris.json", answered(form, "Boris", {"2": "obstacle"}))])


def test_it_stays_where_it_is_and_verify_names_it(root: Path) -> None:
    (root / "labels" / "my notes").mkdir()
    (root / "labels" / "my notes" / "one.txt").write_text("mine", encoding="utf-8")
    (root / "labels" / "latest").symlink_to("nowhere")
    again(root)
    tsclust.undo(root)
    (root / "labels" / "my notes" / "one.txt").write_text("changed", encoding="utf-8")
    tsclust.undo(root, redo=True)
    assert (root / "labels" / "my notes" / "one.txt").read_text(encoding="utf-8") == "changed"
    assert (root / "labels" / "latest").readlink() == Path("nowhere")
    found = tsclust.verify(root)
    assert "labels/: latest, my notes/one.txt not written by tsclust, and left where they are" in found.notes


def test_a_step_whose_undoing_would_remove_it_is_refused(root: Path) -> None:
    (root / "labels" / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(TsclustError, match=r"did not write: notes\.txt.*Move them away, then run the same"):
        tsclust.undo(root)
    (root / "labels" / "notes.txt").unlink()
    tsclust.undo(root)
    assert not (root / "labels").exists()


def stage(folder: Path, *outputs: str) -> Path:
    """A folder with a manifest that lists these files, which hold its name."""
    folder.mkdir()
    listed = ", ".join(f'"{name}": "x"' for name in outputs)
    (folder / "manifest.json").write_text(f'{{"outputs": {{{listed}}}}}', encoding="utf-8")
    return with_files(folder, *outputs)


def with_files(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{folder.name} {name}", encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("users", "needed", "kept"),
    [
        (("b.parquet",), "b.parquet", {"b.parquet.kept": "b.parquet"}),
        (
            ("b.parquet", "b.parquet.kept"), "b.parquet",
            {"b.parquet.kept": "b.parquet", "b.parquet.kept.kept": "b.parquet.kept"},
        ),
        (("b.parquet/x",), "b.parquet", {"b.parquet.kept/x": "b.parquet/x"}),
        (("within-007",), "within-007/a.parquet", {"within-007.kept": "within-007"}),
        (("within-007/notes",), "within-007/a.parquet", {"within-007/notes": "within-007/notes"}),
    ],
)  # fmt: skip
def test_a_name_that_the_new_stage_needs(
    tmp_path: Path, users: tuple[str, ...], needed: str, kept: dict[str, str]
) -> None:
    old, new = with_files(stage(tmp_path / "old"), *users), stage(tmp_path / "new", needed)
    take_along(old, new)
    found = {one: (new / one).read_text(encoding="utf-8") for one in user_files(new)}
    assert found == {one: f"old {was}" for one, was in kept.items()}
    assert (new / needed).read_text(encoding="utf-8") == f"new {needed}"


def test_a_link_to_a_folder_stays_a_link_and_nothing_behind_it_is_copied(root: Path) -> None:
    (root / "labels" / "up").symlink_to("..")
    again(root)
    tsclust.undo(root)
    links = [*root.glob("history/*/*/labels/up"), root / "labels" / "up"]
    assert len(links) > 1
    assert all(one.readlink() == Path("..") for one in links)


def test_without_a_manifest_nobody_knows_whose_the_parts_are(tmp_path: Path) -> None:
    with_files(tmp_path, "part-00000.parquet", "model.skops", "typical.arrow", "features.py", "notes.txt")
    assert user_files(tmp_path) == ["notes.txt"]
    assert user_files(tmp_path / "none") == []
