# The two commands that everybody needs are `make run` and `make test`.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
TESTENV := DJANGO_SETTINGS_MODULE=iam.settings.test

.PHONY: install install-dev packages run check test bench proto lock

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

# Programs that the tests start privately: PostgreSQL, PgBouncer, Redis, Chromium and Node.js, from the distribution.
packages:
	@if ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || ! command -v chromium >/dev/null || ! command -v pgbouncer >/dev/null || ! command -v redis-server >/dev/null || ! command -v npm >/dev/null; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq postgresql pgbouncer redis-server chromium nodejs npm; fi

check: install-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m iam.api.proto.build --check
	$(TESTENV) $(BIN)/python manage.py makemigrations --check --dry-run

test: packages check
	$(BIN)/python -m pytest
	GATEHOUSE_TEST_DB=postgres $(BIN)/python -m pytest -m "not browser"

bench: install-dev
	GATEHOUSE_TEST_DB=postgres $(BIN)/python -m tests.bench

proto: install-dev
	$(BIN)/python -m iam.api.proto.build

lock: install-dev
	$(BIN)/pip-compile --quiet --generate-hashes --no-header --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --strip-extras --allow-unsafe -o requirements.txt requirements.in
	$(BIN)/pip-compile --quiet --generate-hashes --no-header --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --strip-extras --allow-unsafe -o requirements-dev.txt requirements-dev.in
