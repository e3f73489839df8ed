# From a bare Python >= 3.11 and make: every target first creates the venv it needs. The network is used by pip alone.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint faults machine crash crowd bench schemas

VENV := .venv
BIN := $(VENV)/bin
USABLE := $(VENV)/.usable
READY := $(VENV)/.ready
CANDIDATES := python3.14 python3.13 python3.12 python3.11 python3
EXACT := octoplan/core/*,octoplan/providers/*,octoplan/ledger/*

help: ## what can be made
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-13s %s\n", $$1, $$2 }'

demo: $(USABLE) ## the README's own commands, in a temporary folder
	@PATH="$(CURDIR)/$(BIN):$$PATH" docs/demo.sh README.md

test: $(READY) ## every test, with the coverage gates
	$(BIN)/python -m pytest -n 4 --cov --cov-report=term --cov-fail-under=95
	@$(BIN)/coverage report --include='$(EXACT)' --fail-under=100 --format=total >/dev/null \
	  || { $(BIN)/coverage report --include='$(EXACT)'; echo 'core, providers and ledger must be covered whole, lines and branches'; exit 1; }

lint: $(READY) ## style, format, types, layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

faults: $(READY) ## 2,000 fault schedules, of them 500 of lists and 500 of two providers; N= and SEED= for others
ifdef SEED
	$(BIN)/python -m tests.faults --schedules $(or $(N),2000) --seed $(SEED) --jobs 2
else
	$(BIN)/python -m tests.faults --schedules $(or $(N),1000) --seed 1 --jobs 2
	$(BIN)/python -m tests.faults --schedules 500 --seed 1000000 --jobs 2
	$(BIN)/python -m tests.faults --schedules 500 --seed 2000000 --jobs 2
endif

machine: $(READY) ## 400 examples of the state machine; N=4000 for more, SEED= for others
	$(BIN)/python -m tests.faults --machine $(or $(N),400) --seed $(or $(SEED),1) --jobs 2

crash: $(READY) ## an apply killed, and its disk full or broken, at each system call; ONLY=batches or list; needs strace (Debian: apt install strace)
	$(BIN)/python -m tests.crash $(if $(ONLY),--only $(ONLY))

crowd: $(READY) ## 2, 8 and 32 processes on one ledger, stopped and killed; two at once, fifty times
	$(BIN)/python -m tests.crowd

bench: $(USABLE) ## ratios to the floor and to a peer, on this machine
	$(BIN)/python benchmarks/plan_offline.py

schemas: $(USABLE) ## rewrite schemas/ from the models
	for name in campaign project prices plan; do \
	  $(BIN)/octoplan schema $$name > schemas/$$name.schema.json.new && mv schemas/$$name.schema.json.new schemas/$$name.schema.json || exit 1; \
	done

# PYTHON=… picks the interpreter; otherwise the first candidate that runs, is new enough and can make a venv.
define VENV_MADE
$(BIN)/python -c '' 2>/dev/null || { \
  for python in $(or $(PYTHON),$(CANDIDATES)); do \
    if "$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
  done; \
  if [ -z "$${found:-}" ]; then \
    echo 'octoplan needs Python 3.11 or newer with its venv module (Debian: apt install python3 python3-venv); tried: $(or $(PYTHON),$(CANDIDATES))' >&2; exit 1; \
  fi; \
  echo "creating $(VENV) with $$found"; "$$found" -m venv --clear $(VENV); \
}
endef
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable

$(USABLE): pyproject.toml
	@$(VENV_MADE)
	@echo 'installing octoplan into $(VENV)'
	@$(PIP) .
	@touch $@

$(READY): $(USABLE)
	@echo 'installing the tools of its tests into $(VENV)'
	@$(PIP) '.[dev]'
	@touch $@
