# `make demo` and `make test` set up all that they need; PYTHON=/path/to/python3.10 names an interpreter.
PY := .venv/bin/python

# A folder of ready wheels saves compiling mmcv; set-up works without one.
WHEELS ?= $(wildcard ../shared/wheels)
export PIP_FIND_LINKS := $(strip $(PIP_FIND_LINKS) $(abspath $(WHEELS)))

.PHONY: setup test lint demo bench clean

setup:
	@bash requirements/setup.sh

test: setup lint
	$(PY) -m pytest

lint: setup
	$(PY) -m ruff check .

demo: setup
	$(PY) tools/demo.py --out outputs/demo

bench: setup
	$(PY) -m benchmarks

clean:
	rm -rf build dist outputs work_dirs *.egg-info
