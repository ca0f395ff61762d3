# make lab    set up and open the notebooks (ARGS=--no-browser prints a URL instead)
# make test   set up and run every check and test
# make bench  set up, time everything beside a reference, write benchmarks/results.json
# make tickets  train the recorded digit tickets again, five seeds each (about 15 minutes)
# make index  list the recorded files with their SHA-256
# make lock   pin the dependencies of pyproject.toml into requirements.txt

PYTHON ?= python3
BIN := .venv/bin
ARGS ?=

.PHONY: setup lab check test bench tickets index lock

setup: .venv/ready

.venv/ready: requirements.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --requirement requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	touch $@

lab: setup
	$(BIN)/jupyter lab --ServerApp.ip=127.0.0.1 notebooks/00_start_here.ipynb $(ARGS)

check: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

test: check
	NUMBA_DISABLE_JIT=1 $(BIN)/pytest -m kernels --quiet
	$(BIN)/pytest

bench: setup
	$(BIN)/python -m benchmarks $(ARGS)

tickets: setup
	rm -rf data/digits-lth data/digits-uticket
	for method in lth uticket; do \
	  $(BIN)/uticket train --method $$method --out data/digits-$$method || exit 1; \
	  for seed in 1 2 3 4; do \
	    $(BIN)/uticket train --method $$method --seed $$seed --out runs/$$method-$$seed || exit 1; \
	    cp runs/$$method-$$seed/history.json data/digits-$$method/history-seed-$$seed.json; \
	  done; \
	done
	$(MAKE) index

index:
	cd data && find . -type f ! -name SHA256SUMS ! -name README.md | LC_ALL=C sort | xargs sha256sum > SHA256SUMS

lock: setup
	$(BIN)/python -m pip install --quiet pip-tools
	$(BIN)/pip-compile --quiet --extra dev --strip-extras --no-emit-index-url --no-emit-find-links --no-header --output-file - pyproject.toml | sed 's/^torch==\([0-9.]*\)+cpu/torch==\1/' > requirements.new
	mv requirements.new requirements.txt
