"""Settings: tsclust.toml, the environment and flags, in one frozen model."""

from tsclust.config.digests import digest
from tsclust.config.reader import load, read, section
from tsclust.config.settings import (
    Cluster,
    Features,
    Labels,
    Report,
    Rule,
    Settings,
    Source,
    Train,
)
from tsclust.config.texts import MISSING, parse_k, parse_share

__all__ = [
    "MISSING",
    "Cluster",
    "Features",
    "Labels",
    "Report",
    "Rule",
    "Settings",
    "Source",
    "Train",
    "digest",
    "load",
    "parse_k",
    "parse_share",
    "read",
    "section",
]
