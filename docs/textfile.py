"""tsclust status --json -> metrics for the textfile collector of Prometheus' node_exporter.

tsclust status --json -w /srv/plant | python textfile.py > /var/lib/node_exporter/tsclust.prom.new
mv /var/lib/node_exporter/tsclust.prom.new /var/lib/node_exporter/tsclust.prom
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Any


def metrics(status: dict[str, Any]) -> Iterator[str]:
    """The lines: stages, labels and groups as they are."""
    stages, labels = status["facts"]["stages"], status["facts"]["labels"]
    made = {name: stage for name, stage in stages.items() if "made_at" in stage}
    yield from family(
        "stage_up_to_date", {f'stage="{name}"': one["state"] == "up to date" for name, one in stages.items()}
    )
    yield from family("stage_series", {f'stage="{name}"': one["rows"] for name, one in made.items()})
    yield from family("stage_seconds", {f'stage="{name}"': one["seconds"] for name, one in made.items()})
    yield from family(
        "stage_made_timestamp_seconds", {f'stage="{name}"': since_1970(one) for name, one in made.items()}
    )
    yield from family("labelled_series", {f'kind="{escaped(kind)}"': n for kind, n in labels.get("kinds", {}).items()})
    yield from family("unlabelled_series", {"": labels["unlabelled"]} if "unlabelled" in labels else {})
    yield from family("groups", {f'state="{state}"': len(n) for state, n in labels.get("groups", {}).items()})


def family(name: str, values: dict[str, float]) -> Iterator[str]:
    if values:
        yield f"# TYPE tsclust_{name} gauge"
    for labels, value in values.items():
        yield f"tsclust_{name}{{{labels}}} {float(value)}" if labels else f"tsclust_{name} {float(value)}"


def since_1970(stage: dict[str, Any]) -> float:
    return datetime.fromisoformat(stage["made_at"]).timestamp()


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in metrics(json.load(sys.stdin)))
