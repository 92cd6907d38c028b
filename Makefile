# make run    watch this host with the rules that ship (as root); without root or audit, replay the bundled recording
# make test   all tests; what a test needs and the host lacks is skipped and named
# make check  style, types and who may import whom
# make docs   print the generated pages of docs/ anew
# make bench  the numbers in docs/benchmarks.md
# make fuzz   coverage-guided fuzzing of the audit parser and of both rule front ends, FUZZ_SECONDS each

SHELL := /bin/bash
PYTHON ?= python3
FUZZ_SECONDS ?= 60
VENV := .venv
BIN := $(VENV)/bin
RECORDING := rules/demo/intrusion.log.gz

.PHONY: run test check docs bench fuzz clean

run: $(VENV)/run.ready
	@$(BIN)/ruleng run; status=$$?; \
	if [ $$status -eq 3 ]; then \
		echo; echo "This host cannot be watched live (see above), so here is a recording of an intrusion:"; echo; \
		$(BIN)/ruleng replay $(RECORDING); \
	else exit $$status; fi

test: $(VENV)/test.ready
	$(BIN)/python -m pytest $(PYTEST)

check: $(VENV)/test.ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/test.ready
	$(BIN)/python -m docs.generate

bench: $(VENV)/test.ready
	$(BIN)/python -m tests.bench

fuzz: $(VENV)/test.ready
	@$(BIN)/python -c 'import atheris' 2>/dev/null || $(BIN)/pip install --quiet --disable-pip-version-check atheris
	for target in audit rules falco; do \
		$(BIN)/python -m tests.fuzz $$target --seconds $(FUZZ_SECONDS) 2>&1 | grep -E '^(Done|stat::peak|==|Traceback|.*Error|artifact)'; \
		[ $${PIPESTATUS[0]} -eq 0 ] || exit 1; \
	done

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "ruleng needs Python 3.11 or later; $(PYTHON) is $$($(PYTHON) -V 2>&1). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || if [ "$$(id -u)" = 0 ]; then \
		apt-get update -qq && apt-get install -y -qq python3-venv; \
	else echo "Python's venv is missing. Run: sudo apt-get install python3-venv"; exit 1; fi
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.ready: pyproject.toml | $(VENV)/bin/pip
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/test.ready: pyproject.toml | $(VENV)/bin/pip
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@ $(VENV)/run.ready
