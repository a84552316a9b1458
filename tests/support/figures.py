"""The traces of a Plotly figure as plain values."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go


def traces(figure: go.Figure, *names: str) -> list[dict[str, Any]]:
    """These parts of every trace, where it has them."""
    plain = figure.to_plotly_json()["data"]
    return [{name: list(v) if isinstance(v := t[name], tuple) else v for name in names if name in t} for t in plain]
