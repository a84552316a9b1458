"""What features/ remembers of its making."""

from __future__ import annotations

from tsclust.workspace.manifest import Stage, UntypedFacts

FEATURES = Stage("features", "features", UntypedFacts)
