"""features/ with the series/ that it describes, as later stages read them: looked up once, in the workspace."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tsclust.stages.features import catalogue, parts
from tsclust.stages.features.facts import FEATURES, FeaturesFacts
from tsclust.stages.features.typical import Typical
from tsclust.stages.series.parts import SeriesFiles
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Manifest


@dataclass(frozen=True)
class FeatureFiles:
    """features/, part by part beside series/.

    root      of the workspace: messages name it;  folder: features/
    manifest  what features/ was made from;  paths: of its parts, in order
    series    the parts of the same names, with the carried columns
    """

    root: Path
    manifest: Manifest[FeaturesFacts]
    paths: tuple[Path, ...]
    series: SeriesFiles
    folder: Path

    @classmethod
    def of(cls, workspace: Workspace) -> FeatureFiles:
        """Raises StageMissingError where one of the two stages is not there."""
        described, paths = workspace.manifest(FEATURES), tuple(workspace.parts(FEATURES))
        return cls(workspace.root, described, paths, SeriesFiles.of(workspace), workspace.stage(FEATURES))

    @property
    def facts(self) -> FeaturesFacts:
        """By which features series are described, and what the rules reject."""
        return self.manifest.facts

    @property
    def typical(self) -> Typical:
        """What rules take for typical of each kind of series."""
        if self.facts.kinds is None:
            return Typical.of_all(self.facts.typical)
        return parts.read_typical(self.folder / parts.TYPICAL_FILE, self.facts.kinds)

    @property
    def sign(self) -> int:
        """1 where the peak is a maximum, -1 a minimum."""
        return 1 if self.facts.peak == "max" else -1

    @property
    def clustered(self) -> tuple[str, ...]:
        """The names of the features that a sweep compares series by, in their order."""
        return catalogue.clustered(self.facts.catalogue)
