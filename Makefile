# `make help` lists the targets; each does its own set-up. BentoML's usage statistics are off here.
export BENTOML_DO_NOT_TRACK = True
PYTHON ?= python3
PORT ?= 3000
VENV = .venv
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

# PyTorch's own builds for Linux without CUDA, which would be gigabytes; empty installs from PyPI.
ifeq ($(shell uname -sm),Linux x86_64)
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
endif
REACHED = $(PYTHON) -c 'import urllib.request; urllib.request.urlopen("$(TORCH_INDEX)/", timeout=5)'
INSTALL = $(VENV)/bin/pip install --disable-pip-version-check

.PHONY: help setup serve test lint image bench lock pictures clean

setup: $(VENV)/ready  ## install what serving and training need into .venv

$(VENV)/ready: pyproject.toml service/requirements.txt training/requirements.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("make: study score needs \
	Python 3.11 or later, and $(PYTHON) is %d.%d; name another: make PYTHON=python3.11" \
	% sys.version_info[:2])'
	@echo 'Installing torch (200 MB) and what serving and training need (200 MB) into $(VENV)'
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) --quiet pip==26.3
	@if [ -z "$(TORCH_INDEX)" ]; then :; elif $(REACHED) 2>/dev/null; then \
	    echo 'torch without CUDA, from $(TORCH_INDEX)'; \
	    $(INSTALL) --quiet --no-deps --index-url $(TORCH_INDEX) $$(grep ^torch== training/requirements.txt); \
	else echo '$(TORCH_INDEX) cannot be reached; torch comes from the ordinary index'; fi
	$(INSTALL) --quiet --group training --constraint training/requirements.txt
	@touch $@

$(VENV)/ready-to-test: $(VENV)/ready tests/requirements.txt
	@echo 'Installing what the tests need (300 MB)'
	$(INSTALL) --quiet --group dev --constraint tests/requirements.txt
	@touch $@

MODEL = bentoml models get study_score:latest >/dev/null 2>&1 || python -m training
FREE = import socket; socket.create_server(("127.0.0.1", $(PORT))).close()

serve: setup  ## train the lab's model if there is none, and serve it (PORT=3000)
	@python -c '$(FREE)' 2>/dev/null || { echo 'make: port $(PORT) cannot be had, another' \
	    'program may listen there; choose one: make serve PORT=3001' >&2; exit 1; }
	@$(MODEL)
	bentoml serve --host 127.0.0.1 --port $(PORT)

test: lint  ## check style and types, and run the tests
	pytest -n 3 --dist loadfile --no-loadscope-reorder

lint: $(VENV)/ready-to-test  ## check style and types alone
	ruff check .
	ruff format --check .
	mypy --platform linux
	mypy --platform darwin --cache-dir .mypy_cache/darwin
	mypy --platform win32 --cache-dir .mypy_cache/win32 models training

image: setup  ## build the container image with docker or podman
	$(INSTALL) --quiet cyclonedx-bom --constraint tests/requirements.txt
	@$(MODEL)
	service/deploy/image.sh

bench: $(VENV)/ready-to-test  ## measure the tables of the READMEs
	python -m tests.bench.service
	python -m tests.bench.page
	python -m tests.bench.training

# torch's CUDA libraries are left out: who installs the build that has them gets those it names.
LOCK = uv pip compile --quiet --upgrade --no-header --no-annotate
CUDA = /^(cuda-|nvidia-[^m]|triton=)/

lock: $(VENV)/ready-to-test  ## lock new versions of the packages in pyproject.toml
	$(LOCK) --generate-hashes --group service -o service/requirements.txt
	$(LOCK) --group training -c service/requirements.txt -o training/requirements.txt
	$(LOCK) --group dev -c training/requirements.txt -o tests/requirements.txt
	sed -E -i '$(CUDA)d' training/requirements.txt tests/requirements.txt

pictures: $(VENV)/ready-to-test  ## draw the pictures of the READMEs again
	python -m tests.pictures

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*  ## /  make \1: /p' Makefile

clean:  ## remove .venv and all caches
	rm -rf $(VENV) .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find models service training tests -name __pycache__ -exec rm -rf {} +
