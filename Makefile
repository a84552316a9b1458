# make demo, make test. `make` alone lists the rest. Everything lands in .venv, nothing on the system but what
# `make demo` and `make test` need as root on Debian and Ubuntu: python3-venv and Chromium, where they are missing.

SERIES ?= 1000000
MINOR_VERSIONS := 14 13 12 11
PYTHON ?= $(shell for p in python3 $(MINOR_VERSIONS:%=python3.%); do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' >/dev/null 2>&1 && echo $$p && break; done)
# Four at a time on two cores, as many tests wait for a server or a browser; with one thread each, as libraries that
# take both cores wait for each other. A file is not split; the small ones of tests/unit come last, so that all end together.
WORKERS ?= 4
PYTEST := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 .venv/bin/pytest -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder
PIP := .venv/bin/python -m pip --quiet --disable-pip-version-check

# Else each of hundreds of processes compiles all sources again, where the environment forbids to keep them.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo serve stream test browsers kernels collect check lint endurance bench bench-long sample notebooks clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-11s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/.demo ## a million synthetic cycles, every stage, the report, in demo/ (SERIES=100000: fewer)
	@.venv/bin/tsclust demo -w demo --series $(SERIES)

test: .venv/.test ## form, types and all the tests; brings Chromium where there is none, meanwhile
	@$(MAKE) --no-print-directory -j4 browsers kernels collect lint
	@$(PYTEST)

browsers: .venv/.test
	@tests/browser.sh

kernels: .venv/.test # for all workers: each would compile them for the commands that it starts
	@PYTEST_XDIST_WORKER=gw-ahead OMP_NUM_THREADS=1 .venv/bin/python -m tests.support.kernels

collect: .venv/.test # what pytest makes of the sources of tests is kept for all workers, too
	@found=$$(.venv/bin/pytest --collect-only -qq 2>&1) || { echo "$$found"; exit 1; }

serve: .venv/.serve ## the service on http://127.0.0.1:8765, with the demo's workspace where there is one
	@.venv/bin/tsclust serve -w .

stream: .venv/.stream ## machines send to a broker, and a fault that begins on one is named: two minutes
	@.venv/bin/tsclust demo --stream -w demo

check: lint ## form, types and the quick tests: no server, no browser, none over a second; two minutes
	@$(PYTEST) tests/unit -m "not slow"

endurance: .venv/.test ## tests that have a long form, in it: more kills, more interruptions, older servers
	@TSCLUST_ENDURANCE=1 $(PYTEST) -m "endurance or both_servers"

lint: .venv/.test ## form, types and arrows alone
	@.venv/bin/ruff check --quiet
	@.venv/bin/ruff format --quiet --check || { echo "Not formatted. Run: .venv/bin/ruff format"; exit 1; }
	@.venv/bin/mypy --no-error-summary
	@found=$$(.venv/bin/lint-imports --no-cache --no-logo) || { echo "$$found"; exit 1; }

sample: browsers ## reports/sample.html and its pictures
	@.venv/bin/python reports/make.py

notebooks: .venv/.test ## run notebooks/*.ipynb again on a small demo and keep their output
	@.venv/bin/python -m notebooks.make

bench: .venv/.bench ## speed beside peers and limits, as one table into docs/benchmarks.md: ten minutes
	@.venv/bin/python bench/table.py --write

bench-long: .venv/.bench browsers ## most of the measurements that the documentation quotes, one by one: hours
	@for file in bench/demo.py bench/extract.py bench/decode.py bench/features.py bench/integrity.py bench/cluster.py bench/kinds.py bench/discovery.py bench/rivals.py bench/agreement.py bench/rules.py bench/ideas.py bench/worth.py bench/report.py bench/looks.py bench/labels.py bench/rounds.py bench/score.py bench/quality.py bench/drift.py bench/few.py bench/month.py bench/stream.py bench/false_alarms.py bench/durable.py; do echo "$$file"; .venv/bin/python $$file || exit 1; done

clean: ## removes what make has made, not your workspaces (demo/ is one)
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis dist
	@find . -name __pycache__ -prune -exec rm -rf {} +

# .venv/.demo, .test, .bench: when `pip install .[demo]`, `.[test]`, `.[bench]` last went through.
.venv/.%: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing tsclust and what it needs into .venv (the first time takes a minute or two)"
	@$(PIP) install --no-compile -c constraints.txt -e '.[$*]'
	@.venv/bin/python -m compileall -qq -j 0 .venv/lib || true # by all processors: pip would by one; some have sources that are none
	@case $* in demo|serve|stream) echo "Compiling kernels, so that no first run has to"; \
		.venv/bin/python -m tsclust.pipeline.kernels_ahead || echo "It did not work: they are compiled at the first run";; esac
	@touch $@

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "tsclust needs Python 3.11 to 3.14, and found none. Name one: make demo PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
		package=$$($(PYTHON) -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'); \
		test "$$(id -u)" -eq 0 && command -v apt-get >/dev/null \
		&& apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qqy install $$package >/dev/null 2>&1 \
		|| { echo "$(PYTHON) cannot make virtual environments. Run: apt-get install $$package"; exit 1; }; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }
