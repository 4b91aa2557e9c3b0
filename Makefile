# `make demo` and `make test` set up all that they need. STACK=2024 names the older of the two stacks
# (requirements/setup.sh), PYTHON=/path/to/python an interpreter, TESTS="tests/io tests/host" the tests to run.
STACK ?= current
VENV := $(if $(filter current,$(STACK)),.venv,.venv-$(STACK))
PY := $(VENV)/bin/python
TESTS ?=
# Two cores run two files of tests at a time, each on one thread.
PYTEST ?= -n auto --maxprocesses 4 --dist loadfile
export STACK

# A folder of ready wheels saves minutes; set-up works without one.
WHEELS ?= $(wildcard ../shared/wheels)
export PIP_FIND_LINKS := $(strip $(PIP_FIND_LINKS) $(abspath $(WHEELS)))

.PHONY: setup test fuzz soak lint demo bench docs gpu clean

setup:
	@bash requirements/setup.sh

test: setup lint
	OMP_NUM_THREADS=1 $(PY) -m pytest $(PYTEST) $(TESTS)

# 10,000 damaged files for every reader, under limits of memory and time; COUNT=300 for fewer. Hours on two cores.
COUNT ?= 10000
fuzz: setup
	OMP_NUM_THREADS=1 $(PY) tests/fuzz/fuzz_readers.py --count $(COUNT)

# Cameras that fail in every way for ten minutes: memory and latency of `orplugins live` stay flat.
SOAK_SECONDS ?= 600
soak: setup
	OMP_NUM_THREADS=1 SOAK_SECONDS=$(SOAK_SECONDS) $(PY) -m pytest -s tests/live/test_soak.py

lint: setup
	$(PY) -m ruff check .
	$(PY) -m ruff format --check --quiet .
# The types that torch and NumPy declare differ from stack to stack: checked with those of today.
ifeq ($(STACK),current)
	$(PY) -m mypy
endif

demo: setup
	$(PY) demo/run.py --out outputs/demo

bench: setup
	$(PY) -m benchmarks

# The site, outputs/site/; a broken link is an error.
docs: setup
	$(PY) -c "import mkdocs, material, mkdocstrings_handlers.python" 2>/dev/null || $(PY) -m pip install -q -r requirements/docs.txt
	NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict --quiet

# What only a GPU can show, in less than ten minutes (dev/gpu_check.py --help).
gpu: setup
	$(PY) dev/gpu_check.py --out outputs/gpu_check.json

clean:
	rm -rf build dist outputs work_dirs .mypy_cache *.egg-info
