# Everything runs in .venv; nothing else on the machine is touched.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --quiet
# Exact versions, so that what ran here runs tomorrow. To move them: make lock.
PIN := --constraint constraints.txt
DATA ?= ../shared

.PHONY: run test test-browser test-llm lint format docs bench lock clean screenshots

run: $(VENV)/run.done
	$(BIN)/xiaoquan serve

test: $(VENV)/dev.done
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
# Apart: Playwright keeps an event loop running in its process, and others start their own.
	$(BIN)/python -m pytest -m 'not browser'
	$(BIN)/python -m pytest -m browser

# A real chat model: 1.1 GB once, about a minute a question on two cores.
test-llm: $(VENV)/dev.done
	$(PIP) $(PIN) xllamacpp
	$(BIN)/python tests/local_model.py
	nice $(BIN)/python -m pytest -s tests/llm_assistant_answers.py

# Tests in a real browser; apt brings Chromium where it may.
test-browser: $(VENV)/dev.done
	command -v chromium >/dev/null || apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk
	$(BIN)/python -m pytest -m browser

# Pictures of every page in three sizes, light and dark: a few of them into docs/screenshots.
screenshots: $(VENV)/dev.done
	$(BIN)/python tests/screenshots.py

lint: $(VENV)/dev.done
	$(BIN)/python -m ruff check .
	$(BIN)/python -m mypy

format: $(VENV)/dev.done
	$(BIN)/python -m ruff format .
	$(BIN)/python -m ruff check --fix .

# The pages that the program itself writes.
docs: $(VENV)/dev.done
	$(BIN)/python -m ui.reference

# Measures what .cache/bench does not hold yet, and writes the tables of docs/benchmarks.md.
bench: $(VENV)/dev.done
	$(PIP) $(PIN) langchain-chroma langchain-text-splitters
	$(BIN)/python -m eval.benchmarks --data $(DATA)

lock:
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(PIP) --editable '.[dev]'
	$(BIN)/python -m pip freeze --exclude-editable > constraints.txt

clean:
	rm -rf $(VENV)

$(VENV)/run.done: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make run PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo 'Installing into $(VENV): a few minutes, 1.1 GB…'
	$(PIP) $(PIN) --editable .
	@touch $@

$(VENV)/dev.done: $(VENV)/run.done
	$(PIP) $(PIN) --editable '.[dev]'
	@touch $@
