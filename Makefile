# People and CI call the same targets. `.venv` is stamped by a hash of what goes into it, so that
# nothing is installed twice.

PYTHON ?= python3
VENV := .venv
LOWEST := .venv-lowest
BIN := $(VENV)/bin
STAMP_INPUT := pyproject.toml constraints.txt Makefile
CORE := tests/golden tests/unit/reports tests/unit/search_spaces tests/unit/storage tests/unit/weightings \
	tests/contract/test_compiled.py tests/contract/test_searches.py tests/integration/test_lean.py \
	tests/integration/test_ray.py::test_a_ray_of_its_own_gives_what_the_local_driver_gives
DEMO_STORAGE ?= sqlite:///weighbridge.db
GPU_WHEELS := build/gpu-wheels
GPU_PLATFORMS := manylinux_2_28_x86_64 manylinux_2_17_x86_64 manylinux2014_x86_64
GPU_PACKAGES := alembic annotated-types greenlet mako markdown-it-py markupsafe mdurl mlxtend \
	nvidia-ml-py pydantic pydantic-core pygments rich sqlalchemy typing-extensions typing-inspection

# pytest rewrites each module of the tests: once, not in each run.
export PYTHONDONTWRITEBYTECODE :=
FORKS ?= 3
TESTS := -m pytest -p tests.forking --forks $(FORKS)

.PHONY: demo docs test test-lowest test-python check lint types unit again soak soak-dashboard mutants install install-dev install-lowest bench bench-demo bench-compile bench-ray bench-storage bench-replay \
	bench-gradients bench-conflicts bench-dense bench-loaders bench-reports bench-dashboard gpu-check gpu-wheels clean

demo: install
	$(BIN)/weighbridge run quickstart --storage $(DEMO_STORAGE)
	$(BIN)/weighbridge compare quickstart --storage $(DEMO_STORAGE)
	$(BIN)/weighbridge report quickstart --storage $(DEMO_STORAGE) -o report.html

# What is told in seconds first; mypy, which has one core to do with, beside the tests.
test: lint
	@$(MAKE) --no-print-directory -j 2 types unit

check: lint types

lint: install-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo

types: install-dev
	$(BIN)/mypy

unit: install-dev
	$(BIN)/python $(TESTS)

# Only what failed last, one at a time: a fault fails again. What passes now failed for its company,
# by its timing or by what another test left behind, and is to be mended, too.
again: install-dev
	$(BIN)/python -m pytest -v --last-failed --last-failed-no-failures none

# The core of the suite with the lowest versions that pyproject.toml allows.
test-lowest: install-lowest
	$(LOWEST)/bin/python $(TESTS) -p no:cacheprovider $(CORE)

# The same with another Python and today's versions: make test-python PYTHON=python3.13
test-python: EXTRAS := datasets,test,vision
test-python:
	$(PYTHON) -m venv .venv-other
	@.venv-other/bin/python tools/install.py --extras $(EXTRAS) $(STAMP_INPUT)
	.venv-other/bin/python $(TESTS) -p no:cacheprovider $(CORE)

# The documentation as a site, build/docs/html/index.html; warnings and dead links are errors.
docs: install-dev
	$(BIN)/python -m docs.make_site

soak: install-dev
	WEIGHBRIDGE_KILLS=300 $(BIN)/python -m pytest tests/integration/test_kills.py
	$(BIN)/python -m pytest -m nightly

# Breaks limits and loops one by one, in a copy: about four minutes. Not part of `test`.
mutants: install-dev
	$(BIN)/python -m tools.mutants

bench: install-dev
	$(BIN)/python -m benchmarks.throughput

bench-demo: install-dev
	$(BIN)/python -m benchmarks.demo

bench-compile: install-dev
	$(BIN)/python -m benchmarks.compiled

bench-gradients: install-dev
	$(BIN)/python -m benchmarks.gradients

bench-conflicts: install-dev
	$(BIN)/python -m benchmarks.conflicts

bench-dense: install-dev
	$(BIN)/python -m benchmarks.dense

bench-loaders: install-dev
	$(BIN)/python -m benchmarks.loaders

bench-ray: install-dev
	$(BIN)/python -m benchmarks.cluster

bench-storage: install-dev
	$(BIN)/python -m benchmarks.storage

bench-reports: install-dev
	$(BIN)/python -m benchmarks.reports

bench-dashboard: install-dev
	$(BIN)/python -m benchmarks.dashboard

soak-dashboard: install-dev
	$(BIN)/python -m benchmarks.dashboard.soak

bench-replay: install-dev
	$(BIN)/python -m benchmarks.replay

# On a machine with one GPU and torch, without a network. What torch does not bring lies beside the
# tree, fetched by `make gpu-wheels` where there is a network.
gpu-check:
	@if [ -d $(GPU_WHEELS) ]; then $(PYTHON) -m pip install -q --no-index --no-deps --no-compile \
		--upgrade --target build/gpu-site $(GPU_WHEELS)/*.whl; fi
	PYTHONPATH=build/gpu-site $(PYTHON) -m tools.gpu_check $(GPU_CHECK)

gpu-wheels:
	$(PYTHON) -m pip download -q --no-deps --only-binary=:all: --python-version 3.12 \
		--implementation cp $(foreach tag,$(GPU_PLATFORMS),--platform $(tag)) \
		-d $(GPU_WHEELS) -c constraints.txt $(GPU_PACKAGES)
	@du -sh $(GPU_WHEELS)

install: EXTRAS := datasets
install: $(VENV)/.python
	@$(BIN)/python tools/install.py --extras $(EXTRAS) $(STAMP_INPUT)

install-dev: EXTRAS := datasets,vision,dev
install-dev: $(VENV)/.python
	@$(BIN)/python tools/install.py --extras $(EXTRAS) $(STAMP_INPUT)

install-lowest: EXTRAS := datasets,test,vision
install-lowest: $(LOWEST)/.python
	@$(LOWEST)/bin/python tools/install.py --lowest --extras $(EXTRAS) $(STAMP_INPUT)

$(VENV)/.python $(LOWEST)/.python:
	$(PYTHON) -m venv $(@D)
	@touch $@

clean:
	rm -rf $(VENV) $(LOWEST) .venv-other build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
