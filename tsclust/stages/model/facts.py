"""What model/ remembers of its making."""

from __future__ import annotations

from tsclust.workspace.manifest import Stage, UntypedFacts

MODEL = Stage("model", "train", UntypedFacts)
