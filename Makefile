# Two commands matter: `make demo` and `make test`. Each sets up what it needs.

PYTHON ?= python3
BIN := .venv/bin
SEEDS ?= 100000
FROM ?= 0
# Tests at a time, on two cores: most of them wait for a server, and every process has servers of
# its own.
AT_ONCE ?= 3
# Far more than a run takes, on a busy machine too: it ends what hangs, and judges no speed.
SECONDS_MAX := 4200
# Some hundred processes of ours are begun: each would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE
.DEFAULT_GOAL := help
.PHONY: help setup demo down test long check client links locks locks-check bench faults pythons clean \
	simulate programs

help:  ## these lines
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup:  ## .venv with what the demo needs (run by the others)
	@$(PYTHON) tools/setup.py run

setup-dev:
	@$(PYTHON) tools/setup.py dev

setup-bench:
	@$(PYTHON) tools/setup.py bench

links: setup-dev  ## the view of the rooms that type checkers need
	@mkdir -p .pkg/genoflow
	@for room in api deploy events native nextflow processors projections schemas; do \
		ln -sfn ../../$$room .pkg/genoflow/$$room; done

demo: setup  ## a real stack, and six samples on their way to results
	@$(BIN)/genoflow demo

down:  ## stop the stack that the demo left running
	@$(BIN)/genoflow down

test: setup-dev  ## checks, then all tests on real servers but those that `make long` plays
	@$(MAKE) --no-print-directory -j 2 check programs
	@timeout -s KILL $(SECONDS_MAX) $(BIN)/pytest -n $(AT_ONCE) --dist loadfile --no-loadscope-reorder -m "not long" \
		--ignore tests/tidy --ignore tests/packaging

programs: setup-dev
	@$(BIN)/python -m genoflow.deploy.local.artifacts
	@$(BIN)/python -m tests.oracles fetch

long: links  ## tests of minutes each: materials, instruments, relabelling, faults in the whole flow
	@$(BIN)/python -m genoflow.deploy.local.artifacts
	@timeout -s KILL $(SECONDS_MAX) $(BIN)/pytest -n 2 --dist loadfile -m long

check: links  ## style, types, imports, tidiness, wheel contents
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy -p genoflow.events -p genoflow.deploy -p genoflow.api -p genoflow.processors \
		-p genoflow.projections -p genoflow.native -p genoflow.schemas
	@$(BIN)/mypy tools tests benchmarks
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/pytest --quiet -n 2 -m "not long" tests/tidy tests/packaging

simulate: setup-dev  ## a night of seeds against the worker: SEEDS=100000 FROM=0
	@$(BIN)/python -m tests.simulation --seeds $(SEEDS) --from $(FROM)

client: setup-dev  ## write the typed client anew from the API's OpenAPI
	@$(BIN)/python -m tools.client

locks: setup-dev  ## resolve the three locks anew, with hashes and without addresses
	@$(BIN)/python tools/locks.py write

locks-check: setup-dev  ## the locks resolve on every Python from 3.11 to 3.14
	@$(BIN)/python tools/locks.py check

pythons: locks-check  ## unit tests on every Python present, the locks on the others
	@$(BIN)/python tools/pythons.py

bench: setup-bench  ## ours beside the anchors, as ratios in one run
	@$(BIN)/python -m genoflow.deploy.local.artifacts
	@$(BIN)/python tools/anchors.py
	@$(BIN)/python -m benchmarks.run

faults: setup-dev  ## kill workers and brokers, spoil the link, and judge what stands on the log
	@$(BIN)/python -m genoflow.deploy.local.artifacts kafka classes
	@$(BIN)/python -m tests.faults
	@$(BIN)/python -m tests.fuzz_validation --files 100000

clean:  ## remove what set-up made here (not the cache, not your data)
	@rm -rf .venv .pkg build dist *.egg-info native/target native/*.so
