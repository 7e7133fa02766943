# `make demo` and `make test` are all there is to know; each sets up what it needs first.

PYTHON := .venv/bin/python
LOCK := requirements-dev.lock

.DEFAULT_GOAL := help
.PHONY: help setup demo test walk lint types static check chaos bench docs styles screenshots load lock audit translations

help:
	@echo "make demo   set up and run Segue with demo data"
	@echo "make test   set up and run the tests"
	@echo "make walk   every page in every language, by every role, in both themes, with pictures"
	@echo "make chaos  kill and cut off real workers in the middle of runs, 500 times"
	@echo "make bench  measure the speeds that docs/performance.md speaks of"
	@echo "make load   people, uploads and runs together, for ten minutes"
	@echo "make docs   build the guides into site/"
	@echo "make static reads the code: lint, types, imports, migrations, translations, pictures"
	@echo "make audit  the locked packages against what osv.dev knows; OSV=all.zip without network"
	@echo "make check  what CI checks, but the storm"

.venv/ready: $(LOCK) scripts/setup.sh
	@scripts/setup.sh

setup: .venv/ready
	@$(PYTHON) scripts/compile_translations.py

demo: setup
	@exec $(PYTHON) manage.py up --demo

# Many tests wait for something: one more than there are cores keeps them busy.
TESTERS := $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)

test: setup
	$(PYTHON) -m pytest -n $(TESTERS) --dist worksteal -q $(ARGS)

walk: setup
	REQUIRE_BROWSER=1 $(PYTHON) -m pytest -m walk -n $(TESTERS) -q $(ARGS)

lint: setup
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/lint-imports

types: setup
	.venv/bin/mypy .

static: lint types
	$(PYTHON) manage.py makemigrations --check --dry-run
	$(PYTHON) scripts/check_migrations.py
	$(PYTHON) scripts/check_translations.py
	$(PYTHON) scripts/draw_architecture.py --check
	$(PYTHON) scripts/tabler_styles.py --check

check: static test

KILLS := 500
CUTS := 4

# `make chaos SEED=7` repeats a storm.
chaos: setup
	$(PYTHON) -m tests.chaos --kills $(KILLS) $(if $(SEED),--seed $(SEED))
	$(PYTHON) -m tests.chaos.partition --rounds $(CUTS) $(if $(SEED),--seed $(SEED))

.venv-bench/ready: requirements-bench.lock
	@$(PYTHON) -m venv --clear .venv-bench
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.lock
	@touch $@

# Speeds as ratios, measured in one run; dlt is there to be compared with.
bench: setup .venv-bench/ready
	$(PYTHON) -m benchmarks.bench

.venv-docs/ready: requirements-docs.lock
	@$(PYTHON) -m venv --clear .venv-docs
	@.venv-docs/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-docs.lock
	@touch $@

# The guides and the rest of docs/ as a site that needs nothing from elsewhere, in site/.
docs: setup .venv-docs/ready
	@.venv-docs/bin/mkdocs build --strict

# Of Tabler's styles, what the pages use: static/vendor/tabler/tabler.css.
styles: setup
	@$(PYTHON) scripts/tabler_styles.py

# The pictures in the guides, of a demo of its own.
screenshots: setup
	@$(PYTHON) -m scripts.screenshots $(ARGS)

MINUTES := 10

# People, uploads and runs together, on the whole system.
load: setup .venv-bench/ready
	$(PYTHON) -m benchmarks.load $(MINUTES)

# The lock holds versions and hashes, and no address of an index.
lock: setup
	.venv/bin/uv pip compile pyproject.toml --extra tracing --universal --generate-hashes --no-emit-index-url -q -o requirements.lock
	.venv/bin/uv pip compile pyproject.toml --group dev --universal --generate-hashes --no-emit-index-url -q -o requirements-dev.lock
	.venv/bin/uv pip compile --group docs --universal --python-version 3.11 --generate-hashes --no-emit-index-url -q -o requirements-docs.lock
	.venv/bin/uv pip compile --group bench --universal --python-version 3.11 --generate-hashes --no-emit-index-url -q -o requirements-bench.lock

# Not among the checks: it wants the network, or osv.dev's archive brought along.
audit: setup
	$(PYTHON) scripts/audit_dependencies.py $(if $(OSV),--osv $(OSV))

translations: setup
	$(PYTHON) scripts/check_translations.py --update
