"""What scores/ and scores_new/ remember of their making."""

from __future__ import annotations

from tsclust.workspace.manifest import Stage, UntypedFacts

SCORES = Stage("scores", "score", UntypedFacts)  # of the workspace's own series
SCORES_NEW = Stage("scores_new", "score", UntypedFacts)  # of those of another source
