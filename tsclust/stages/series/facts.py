"""What series/ remembers of its making."""

from __future__ import annotations

from tsclust.workspace.manifest import Stage, UntypedFacts

SERIES = Stage("series", "extract", UntypedFacts)
