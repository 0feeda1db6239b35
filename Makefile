# The two commands that everybody needs are `make run` and `make test`.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
TESTENV := DJANGO_SETTINGS_MODULE=iam.settings.test

.PHONY: install install-dev packages run check test bench bench-lists differences proto docs lock

install: $(VENV)/.installed
install-dev: $(VENV)/.installed-dev

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV) || { apt-get update && apt-get install -y $(PYTHON)-venv && $(PYTHON) -m venv $(VENV); }

$(VENV)/.installed: requirements.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.txt
	touch $@

$(VENV)/.installed-dev: requirements-dev.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.txt
	touch $@ $(VENV)/.installed

# Start the server with everything it needs; the console is at http://localhost:8080/ui/console
run: install
	$(BIN)/python manage.py start-from-setup

# Programs that the tests start privately, from the distribution: only those that are missing, one package at a time, so that
# a program that is there from elsewhere (Node.js with its own npm) stays as it is.
PROGRAMS := initdb=postgresql pgbouncer=pgbouncer curl=curl redis-server=redis-server chromium=chromium node=nodejs npm=npm nginx=nginx-light promtool=prometheus faketime=faketime

packages:
	@PATH="$$PATH:/usr/sbin:$$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -1)"; missing=""; \
	for pair in $(PROGRAMS); do command -v "$${pair%%=*}" >/dev/null || missing="$$missing $${pair#*=}"; done; \
	if [ -n "$$missing" ]; then apt-get update -qq && DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq $$missing; fi
	@command -v docker-compose >/dev/null || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends docker-compose; }

check: install-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m iam.api.proto.build --check
	$(TESTENV) $(BIN)/python manage.py config --check deploy/docs/configuration.md
	$(TESTENV) $(BIN)/python manage.py makemigrations --check --dry-run
	$(TESTENV) $(BIN)/python manage.py errors --check

# Whole files are shared out over the cores (tests/order.py); what measures the machine comes after them, alone.
SHARED := -n auto --dist loadfile --no-loadscope-reorder

# Some hundred processes of the same program start: what Python compiles is kept.
test: export PYTHONDONTWRITEBYTECODE :=
test: packages check
	$(BIN)/python -m pytest -m "not alone" $(SHARED)
	$(BIN)/python -m pytest -m "alone"
	GATEHOUSE_TEST_DB=postgres $(BIN)/python -m pytest -m "not browser and not artefact and not alone" $(SHARED)

# With USERS=… FACTS=… beside a full database, with LOAD=1 under load: tests/bench/__init__.py
bench: install-dev
	$(BIN)/python -m tests.bench

# Every filter and order of the long lists over a million rows; USERS, ORGS, AUTHORIZATIONS make it smaller
bench-lists: install-dev
	GATEHOUSE_TEST_DB=postgres $(BIN)/python -m tests.bench_lists

# RECORDED=folder with replay.py, accepted.json and recorded answers: what differs and is not decided (deploy/docs/differences.md)
differences: install-dev
	$(BIN)/python -m tests.recorded $(RECORDED)

proto: install-dev
	$(BIN)/python -m iam.api.proto.build

# Pages that are written from the code
docs: install-dev
	$(TESTENV) $(BIN)/python manage.py config --write deploy/docs/configuration.md
	$(TESTENV) $(BIN)/python manage.py errors

lock: install-dev
	$(BIN)/pip-compile --quiet --generate-hashes --no-header --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --strip-extras --allow-unsafe -o requirements.txt requirements.in
	$(BIN)/pip-compile --quiet --generate-hashes --no-header --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --strip-extras --allow-unsafe -o requirements-dev.txt requirements-dev.in
