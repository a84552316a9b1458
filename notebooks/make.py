"""Run the notebooks anew on a small demo and keep what they show: `make notebooks`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from tsclust.embedded_postgres import server
from tsclust.simulation import expert

HERE = Path(__file__).parent
SERIES, SEED = 20_000, 1
# Of a figure its data are kept, not the megabytes that draw it: JupyterLab and VS Code have these.
RENDERER, FIGURE = "plotly_mimetype", "application/vnd.plotly.v1+json"
NUMBERS = re.compile(r"\[\n[-+.\deE,\snul]+\]")  # a list of numbers and nulls: text in JSON has no line breaks


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        demo = Path(folder) / "demo"
        asked = ["-w", str(demo), "--series", str(SERIES), "--seed", str(SEED)]
        with server.running(demo / ".postgres") as running:  # the demo takes the one that runs: it holds the truth
            subprocess.run([sys.executable, "-m", "tsclust", "demo", *asked], check=True)
            expert.prepare(demo, running.dsn, SEED)
        for path in sorted(HERE.glob("*.ipynb")):
            # Each has its own: what one finds, another would show.
            run(path, shutil.copytree(demo, demo.with_name(path.stem), ignore=shutil.ignore_patterns(".postgres")))


def run(path: Path, workspace: Path) -> None:
    """Execute a notebook on a workspace and write it with what it shows, but nothing of when and where that was."""
    notebook = nbformat.read(path, as_version=4)
    metadata = notebook.metadata.copy()
    env = os.environ | {"TSCLUST_WORKSPACE": str(workspace), "PLOTLY_RENDERER": RENDERER}
    NotebookClient(notebook, timeout=600, record_timing=False).execute(env=env)
    notebook.metadata = metadata
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            # The template is the same in all, and near to what Plotly does without: half of the file.
            output.get("data", {}).get(FIGURE, {"layout": {}})["layout"].pop("template", None)
    text = NUMBERS.sub(lambda numbers: "".join(numbers[0].split()), nbformat.writes(notebook))
    path.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
