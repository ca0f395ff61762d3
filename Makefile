# make lab    set up and open the notebooks (ARGS=--no-browser prints a URL instead)
# make test   set up and run every check and test
# make launch-test  wheels and Binder's image, set up from nothing (about ten minutes)
# make site   build the course's website into build/site (REPOSITORY=https://… for launch buttons)
# make bench  set up, time everything beside a reference, write benchmarks/results.json
# make tickets  train the recorded digit tickets again, five seeds each (about 15 minutes)
# make student  write the learners' notebooks from course/ (after changing a source)
# make solutions  the same with solutions, into solutions/
# make guide  fill the numbers into the lecturer's pages (docs/teaching.md, docs/exam.md)
# make figures  the course's key figures for slides, as SVG and PNG, into figures/
# make grade  grade the lab: IN=folder with a notebook for each learner, OUT=points.csv
# make index  list the recorded files with their SHA-256
# make lock   pin the dependencies of pyproject.toml into requirements*.txt (LOCK=--upgrade)

# The Python that .venv was made with, once there is one.
PYTHON ?= $(shell test -e .venv/ready && $(BIN)/python -c '' 2>/dev/null && echo $(BIN)/python || echo python3)
BIN := .venv/bin
ARGS ?=

.PHONY: setup setup-dev lab student solutions guide figures grade check test launch-test site wheel bench tickets \
  index lock check-lock

setup:
	@$(PYTHON) install.py

setup-dev:
	@$(PYTHON) install.py --dev

lab: setup
	$(BIN)/jupyter lab --ServerApp.ip=127.0.0.1 notebooks/00_start_here.ipynb $(ARGS)

student: setup-dev
	$(BIN)/python -m course

solutions: setup-dev
	$(BIN)/python -m course solutions solutions

guide: setup-dev
	$(BIN)/python -m course.guide

figures: setup-dev
	$(BIN)/python -m course.guide.figures figures

OUT ?= points.csv
grade: setup-dev
	$(BIN)/python -m course.grading $(IN) $(OUT)

check: setup-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

# A process per core takes tests from the others when it has none left.
PYTEST := $(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist worksteal
test: check
	NUMBA_DISABLE_JIT=1 $(PYTEST) -m kernels --quiet
	$(PYTEST)

launch-test: site
	$(BIN)/pytest -m launch -s tests/launch

# Pages are written beside a copy of the notebooks; what an earlier build left would count as a page.
site: setup-dev
	rm -rf build/pages build/alive build/doctrees build/site
	mkdir -p build/pages
	cp -r docs/* notebooks build/pages
	$(BIN)/sphinx-build -q -d build/doctrees build/pages build/site

wheel: setup-dev
	$(BIN)/python -m hatchling build -d dist

bench: setup-dev
	$(BIN)/python -m benchmarks $(ARGS)

tickets: setup
	rm -rf data/digits-lth data/digits-uticket
	for method in lth uticket; do \
	  $(BIN)/uticket train --method $$method --out data/digits-$$method || exit 1; \
	  $(BIN)/uticket record data/digits-$$method --out data/digits-$$method --spikes 10 || exit 1; \
	  for seed in 1 2 3 4; do \
	    $(BIN)/uticket train --method $$method --seed $$seed --out runs/$$method-$$seed || exit 1; \
	    cp runs/$$method-$$seed/history.json data/digits-$$method/history-seed-$$seed.json; \
	  done; \
	done
	$(MAKE) index

index:
	cd data && find . -type f ! -name SHA256SUMS ! -name README.md | LC_ALL=C sort | xargs sha256sum > SHA256SUMS

# One lock for every Python and system that is promised; the newest releases with LOCK=--upgrade.
UV := $(BIN)/uv pip compile --quiet --no-header --no-annotate --only-binary :all:
LOCKED := $(UV) --universal --python-version 3.11.0 --fork-strategy fewest --generate-hashes \
  --no-emit-package torch --no-emit-package uticket-lite $(LOCK)
lock: uv
	$(LOCKED) --extra course --output-file requirements.txt pyproject.toml
	$(LOCKED) --extra dev --constraint requirements.txt --output-file requirements-dev.txt pyproject.toml
	$(UV) --python-version 3.11 --python-platform linux --generate-hashes --no-emit-package torch \
	  --no-emit-package uticket-lite --extra course --constraint requirements.txt \
	  --override binder/provided.txt --output-file binder/lock.txt pyproject.toml
	$(MAKE) check-lock

# Every locked package has a wheel for each of them.
check-lock: uv
	for python in 3.11.0 3.12 3.13 3.14; do \
	  for system in x86_64-manylinux_2_28 aarch64-manylinux_2_28 aarch64-apple-darwin x86_64-pc-windows-msvc; do \
	    $(UV) --no-deps --python-version $$python --python-platform $$system --output-file build/lock-$$python-$$system.txt requirements-dev.txt || exit 1; \
	  done; \
	done

.PHONY: uv
uv: setup-dev
	test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet uv
	mkdir -p build
