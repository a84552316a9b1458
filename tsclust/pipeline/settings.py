"""The settings of a command: flags, environment, tsclust.toml, and what the stages that are there were made with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tsclust import config
from tsclust.config import Settings
from tsclust.config import flags as flags_of
from tsclust.config.flags import ONCE
from tsclust.config.kept import PLACES
from tsclust.config.save import save as save_settings
from tsclust.errors import TsclustError
from tsclust.stages.clusters.facts import CLUSTERS
from tsclust.stages.features.explained import Explained
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.model.facts import MODEL
from tsclust.stages.reports import newest_file
from tsclust.stages.series import freshness
from tsclust.stages.series.facts import SERIES, SeriesFacts
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import KeptSetting, MadeWith, Manifest, Stage

SECTIONS: Mapping[str, tuple[str, ...]] = {  # stage -> those of tsclust.toml that its command has flags for
    "series": ("source",), "features": ("features",), "clusters": ("cluster",), "model": ("train", "labels"),
    "reports": ("report",),
}  # fmt: skip
CONFIGURED: tuple[Stage[Any], ...] = (SERIES, FEATURES, CLUSTERS, MODEL)  # stages with settings of their own
SELECTING = ONCE | {"where"}  # of a source: they select from it


def load(
    workspace: Workspace, flags: Mapping[str, object] | None, *, new_source: bool = False, within: int | None = None,
    page: Stage[Any] | None = None,
) -> Settings:  # fmt: skip
    """The settings in force, with the baseline that tsclust chose where nobody has: see load_as_set."""
    settings = load_as_set(workspace, flags, new_source=new_source, within=within, page=page)
    chosen = chosen_baseline(workspace)
    return settings if chosen is None else with_baseline(settings, chosen)


def chosen_baseline(workspace: Workspace) -> tuple[Explained, ...] | None:
    """The baseline that tsclust chose when features/ was made; None where it did not."""
    manifest = _manifest(workspace, FEATURES)
    return manifest.facts.chosen if manifest else None


def with_baseline(settings: Settings, chosen: Sequence[Explained]) -> Settings:
    """These settings, series compared within what was chosen unless they say within what."""
    if settings.cluster.baseline is not None:
        return settings
    columns = tuple(one.column for one in chosen)
    return settings.model_copy(update={"cluster": settings.cluster.model_copy(update={"baseline": columns})})


def load_as_set(
    workspace: Workspace, flags: Mapping[str, object] | None, *, new_source: bool = False, within: int | None = None,
    page: Stage[Any] | None = None,
) -> Settings:  # fmt: skip
    """The settings that somebody set, or the defaults.

    new_source: of the source that series/ was read from, its place and layout alone count, and only where flags name no
    other. within: of a drill-down into this group, which has settings of its own; those of the main sweep that it
    shares it takes from there. page: of a stage that has one, in a language of its own.
    """
    made_with = dict(remembered(workspace))
    if page and (manifest := _manifest(workspace, page)) and "report" in manifest.made_with:
        made_with["report"] = manifest.made_with["report"]
    if within is not None:
        made_with["cluster"] = _of_drilldown(workspace, within)
    if new_source:
        source = {} if PLACES & _given(flags) else made_with.get("source", {})
        made_with["source"] = {key: one for key, one in source.items() if key not in SELECTING}
    return config.load(workspace.config, flags, made_with)


def _given(flags: Mapping[str, object] | None) -> set[str]:
    return {name for name, value in config.section(flags, "source").items() if value}


def _of_drilldown(workspace: Workspace, within: int) -> Mapping[str, KeptSetting]:
    manifest = _manifest(workspace, CLUSTERS)
    drilldown = manifest.facts.within.get(str(within)) if manifest else None
    return drilldown.made_with if drilldown else {}


def remembered(workspace: Workspace) -> MadeWith:
    """section -> key -> what the stages that are there were made with, where tsclust.toml had something else."""
    found: dict[str, Mapping[str, KeptSetting]] = {}
    for stage in CONFIGURED:
        if manifest := _manifest(workspace, stage):
            made_with = manifest.made_with or _of_earlier_version(workspace, manifest)
            found |= {name: keys for name, keys in made_with.items() if name in SECTIONS[stage.name]}
    return found | {"report": newest_file.read(workspace).made_with.get("report", {})}


def _manifest(workspace: Workspace, stage: Stage[Any]) -> Manifest[Any] | None:
    try:
        return workspace.find_manifest(stage)
    except TsclustError:  # what is damaged, or newer, remembers nothing: who reads the stage says so
        return None


def _of_earlier_version(workspace: Workspace, manifest: Manifest[Any]) -> MadeWith:
    """The flags of a source, which alone were kept; they counted where tsclust.toml named no place."""
    raw = config.read(workspace.config)
    of_source = config.section(raw, "source")
    if not isinstance(manifest.facts, SeriesFacts) or any(of_source.get(name) for name in PLACES):
        return {}
    flags = manifest.facts.flags
    return {"source": {key: KeptSetting(value=value, file=of_source.get(key)) for key, value in flags.items()}}


def keep(workspace: Workspace, stage: Stage[Any], settings: Settings) -> None:
    """Have a stage that is up to date remember these settings, which give the same and may differ from tsclust.toml
    in other ways than those it was made with."""
    manifest = workspace.manifest(stage)
    own = SECTIONS[stage.name] if stage is not MODEL else (*SECTIONS[stage.name], "report")  # its page's language
    now: dict[str, Any] = {"made_with": settings.differences(*own)}
    if stage is SERIES:  # a layout that was saved is the one that had been found
        now["settings"] = freshness.digest(settings.source, workspace.root)
    if any(getattr(manifest, key) != value for key, value in now.items()):
        workspace.reseal(stage, manifest.model_copy(update=now))


def notes_of(settings: Settings, *sections: str) -> tuple[str, ...]:
    """Where these settings differ from tsclust.toml, and what no longer counts."""
    return (*flags_of.notes(settings.differences(*sections)), *flags_of.forgotten(settings.forgotten(*sections)))


def kept_notes(settings: Settings, found: Mapping[str, object]) -> list[str]:
    """The same for each stage that is there, and for the report."""
    owners = {name: sections for name, sections in SECTIONS.items() if name == "reports" or found.get(name)}
    return [f"{name}/: {note}" for name, sections in owners.items() for note in notes_of(settings, *sections)]


def save(
    workspace: Workspace, wrote: str, settings: Settings, found: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """Write to tsclust.toml what was set otherwise for a stage, or for the report, and what was `found` of a source."""
    said = save_settings(workspace.config, f"{wrote}/", settings.differences(*SECTIONS[wrote]), found or {})
    now = load(workspace, None)
    if wrote == "reports":
        newest_file.keep(workspace, now.differences("report"))
    else:
        keep(workspace, next(stage for stage in CONFIGURED if stage.name == wrote), now)
    return said
