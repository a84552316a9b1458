"""The commented tsclust.toml that `tsclust init` writes. Every value in it is the default: a test holds that."""

from __future__ import annotations

import json
from collections.abc import Sequence

from tsclust.config import Rule
from tsclust.stages.features.rules import DEFAULT_RULES

HEAD = """# Settings of this tsclust workspace. A flag overrides an environment variable (TSCLUST_CLUSTER__K=2..40),
# that overrides this file, and this file overrides the default. The values here are the defaults.

# Where PostgreSQL is: a URI or key=value string. Better not here but in the environment: TSCLUST_DSN, or libpq's own
# PGHOST, PGSERVICE, ~/.pgpass. Empty: use these.
dsn = ""

[source]
# A table or view: "schema.table" ...
table = ""
# ... or a query that gives the id and the values: SQL text, or a file of sql/, "sql/joined_machines.sql" ...
query = ""
# ... or files, a folder or a pattern: "data/*.csv.gz". CSV, Parquet or pg_dump (`table` names one of its tables).
files = ""
# How series are stored: "array" (a row per series: an array or JSON column), "long" (a row per value), "wide" (a column
# per value), or "auto". What is empty here is detected: `tsclust extract` reports it, --save writes it down.
layout = "auto"
# The columns of the id and of the values (wide: a pattern, "v*"; long: one value), and the order of long rows.
id = ""
values = ""
order = ""
# Columns to carry along (machine, time, ...): ["*"] is all others.
carry = ["*"]
# Only these rows: an SQL condition on the columns. At most this many series (0: all), or a share ("1%").
where = ""
limit = 0
sample = "100%"
# `tsclust extract --update` reads what has a higher id than before; or, with a column here, rows newer in it.
watermark = ""
# Series in one Parquet file: what is read, computed and held in memory at a time.
part_rows = 65536
# Connections that read at the same time, from one snapshot, and how often a lost one is tried again.
workers = 2
retries = 5

[features]
# Which way the peak of a recording points: "max", "min", or "auto": what most series show.
peak = "auto"
# Features of your own: a Python file whose functions take an array of values and give a number (docs/features.md).
extra = ""
# Features that series are not to be compared by. They stay as columns, for rules.
skip = []

[cluster]
# Every number of clusters to try: "2..40", or "2,5,10..20".
k = "2..40"
# What features are measured in: "exceedance" (how far outside of normal), "robust" or "standard" deviations.
scaling = "exceedance"
# Compare a series with those that share these carried columns, for example ["machine_id"]: [] compares with all.
baseline = []
# Without a baseline: look for regimes, ways of being normal that no column names, and compare a series with its own.
regimes = true
# The same seed and the same data give the same files.
seed = 1
# K-means++ starts for each k, on a weighted sample of about `coreset` series; the best is refined on all series.
restarts = 4
coreset = 20000
# How many groups an expert is asked to look at.
groups = 40

[report]
title = ""
# "en" or "ru"
lang = "en"
# Curves shown for each group.
members = 12
# The overview's pictures (elbow, silhouettes, map, lineage): 2 MB of the file are the library that draws them.
charts = true
# Groups in one file: more go into several, with an index. 0: all in one.
split = 0

[labels]
# If labellers contradict each other: "majority", "newest", or the name of the one whose labels count. Empty: such
# series are left out.
resolve = ""

[train]
# The carried column that names the machine: a classifier is tested on machines it was not trained on. Empty: the
# first of [cluster] baseline.
machine = ""
# Answer "don't know" often enough to avoid this share of the errors ...
reject_errors = "80%"
# ... but still answer at least this share of the series. "" for either: no such limit.
answer = "90%"
# If nothing is labelled normal: learn as normal the series that exceed normal in no feature.
assume_normal = true

# Rules decide which recordings cannot be real: an SQL condition over features and carried columns (docs/features.md).
# The ones below apply while no [[rule]] is set; remove the # to change them. `tsclust filter --dry-run` shows what
# they reject.
"""


def settings_text(table: str = "", baseline: Sequence[str] = ()) -> str:
    """The file's text, with what is known already filled in."""
    head = HEAD.replace('\ntable = ""', f"\ntable = {_quoted(table)}", 1)
    head = head.replace("\nbaseline = []", f"\nbaseline = [{', '.join(map(_quoted, baseline))}]", 1)
    return head + "".join(map(_commented, DEFAULT_RULES))


def _commented(rule: Rule) -> str:
    fields = rule.model_dump().items()
    return "\n# [[rule]]\n" + "".join(f"# {key} = {_quoted(value)}\n" for key, value in fields)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a JSON string is a TOML string
