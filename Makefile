# Each target does its own set-up. BentoML's usage statistics are off here.
export BENTOML_DO_NOT_TRACK = True
PYTHON ?= python3
VENV = .venv
READY = $(VENV)/ready
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.PHONY: setup serve test lint image bench lock pictures clean

setup: $(READY)

$(READY): pyproject.toml service/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --upgrade pip
	$(VENV)/bin/pip install --quiet --group dev --constraint service/requirements.txt
	touch $@

serve: setup
	@bentoml models get study_score:latest >/dev/null 2>&1 || python -m training
	bentoml serve --host 127.0.0.1 --port 3000

test: lint
	pytest

lint: setup
	ruff check .
	ruff format --check .
	mypy

image: setup
	@bentoml models get study_score:latest >/dev/null 2>&1 || python -m training
	service/deploy/image.sh

bench: setup
	python -m tests.bench.service
	python -m tests.bench.training

lock: setup
	uv pip compile --quiet --upgrade --group service --no-header --no-annotate -o service/requirements.txt

pictures: setup
	python -m tests.pictures

clean:
	rm -rf $(VENV) .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find models service training tests -name __pycache__ -exec rm -rf {} +
