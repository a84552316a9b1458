"""What clusters/ remembers of its making."""

from __future__ import annotations

from tsclust.workspace.manifest import Stage, UntypedFacts

CLUSTERS = Stage("clusters", "cluster", UntypedFacts, parts_in="assignments")
