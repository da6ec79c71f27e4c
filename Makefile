# What the project can do. `make help` lists it; everything else is set up on first use.

SHELL := /bin/sh
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
# One more than cores: the tests wait for much of their time
PROCESSES ?= 3

.PHONY: help demo demo-clean test test-unit test-chart test-integration e2e e2e-nightly migrate check static format crds golden recorded lock run chaos repeat control-plane helm image sbom release-notes promtool manifests gitops-crds newcomer faults large nightly bench bench-peers

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/ready ## a cluster, the operator by Helm (MODE=local: a process) and a database that answers; stays
	@$(BIN)/python -m dev.demo start

demo-clean: .venv/ready ## remove what `make demo` left running
	@$(BIN)/python -m dev.demo clean

test: .venv/ready control-plane helm gitops-crds promtool ## unit, chart and integration tests, with coverage; PROCESSES=3
	@$(BIN)/python -m pytest tests/unit tests/chart tests/integration -n $(PROCESSES) --second-try --durations=30 --cov --cov-fail-under=90

test-unit: .venv/ready ## unit tests: seconds
	@$(BIN)/python -m pytest -q tests/unit -n $(PROCESSES)

test-chart: .venv/ready helm promtool ## tests of the Helm chart
	@$(BIN)/python -m pytest tests/chart

test-integration: .venv/ready control-plane helm gitops-crds ## tests against a real API server and PostgreSQL 16
	@$(BIN)/python -m pytest tests/integration -n $(PROCESSES) --second-try --durations=30

# Built before the tests: minutes the first time, and no test may take so long
control-plane: .venv/ready
	@$(BIN)/python dev/kind build --control-plane-only

gitops-crds: .venv/ready
	@$(BIN)/python -m tests.support.gitops_crds

helm: .venv/ready
	@$(BIN)/python dev/kind get binary helm >/dev/null

promtool: .venv/ready
	@$(BIN)/python dev/kind get binary promtool >/dev/null

# Collecting its garbage as usual costs the API server more CPU than memory is worth here
chaos: .venv/ready control-plane helm ## random interleavings: RUNS=500 of them within MINUTES=40
	@RUNS=$${RUNS:-500} MINUTES=$${MINUTES:-40} API_SERVER=$${API_SERVER-yes} GOGC=$${GOGC:-300} $(BIN)/python -m pytest tests/integration/test_chaos.py -q -s -p no:logging --no-second-try

repeat: .venv/ready control-plane helm ## what depends on timing, TIMES=20 times, AT_ONCE=1 at the same time
	@$(BIN)/python -m dev.repeat

newcomer: .venv/ready ## the README to the letter, in an empty home, by the oldest and the newest Python: 1 h for each
	@$(BIN)/python -m dev.newcomer

faults: .venv/ready control-plane helm ## every fault of every write, what breaks without each right, and a schema cut off at every point; `make test` has some of each
	@$(BIN)/python -m pytest tests/integration/test_faults.py tests/integration/test_rbac.py tests/integration/test_schema_interrupted.py --nightly --no-second-try

large: .venv/ready control-plane helm ## the largest objects, 440 of them beside 5,000 databases, and 100 databases beside poison; `make test` has fewer
	@LARGE=all $(BIN)/python -m pytest tests/integration/test_large_objects.py tests/integration/test_bad_input.py tests/integration/test_breaking_in.py --nightly -q -s -p no:logging --no-second-try

bench: .venv/ready control-plane helm ## figures of the operator with N="100 500 1000 2000" databases: a table, JSON and a picture in .artifacts/bench
	@$(BIN)/python -m benchmarks $${N:+--sizes "$$N"}

bench-peers: .venv/ready control-plane helm ## this operator and kro in turn, with N="100 1000" databases, ROUNDS=3: the ratios of their figures
	@$(BIN)/python -m benchmarks.peers $${N:+--sizes "$$N"} $${ROUNDS:+--rounds "$$ROUNDS"}

nightly: chaos repeat faults large e2e-nightly newcomer ## what is slow and seldom breaks: some hours

e2e: .venv/ready ## tests on a real cluster with the real CloudNativePG
	@$(BIN)/python -m dev.e2e

e2e-nightly: .venv/ready ## those tests that `make e2e` leaves out, on the same cluster
	@$(BIN)/python -m dev.e2e --nightly -m nightly

migrate: .venv/ready ## bring the schema of DATABASE_URL up to date
	@$(BIN)/daap-operator migrate

run: .venv/ready ## the operator on this machine, for KUBECONFIG and DATABASE_URL
	@DAAP_LOG_FORMAT=$${DAAP_LOG_FORMAT:-text} \
	    DAAP_METRICS_HOST=$${DAAP_METRICS_HOST:-127.0.0.1} DAAP_METRICS_AUTHENTICATION=$${DAAP_METRICS_AUTHENTICATION:-none} \
	    $(BIN)/daap-operator run

image: .venv/ready ## the operator's container image, with Docker or without; TAG=name:tag
	@$(BIN)/python -m dev.image $${TAG:+--tag "$$TAG"}

sbom: .venv/ready ## the bill of materials, CycloneDX in dist/, from the lock file
	@$(BIN)/python -m dev.sbom

release-notes: .venv/ready ## what the changelog says of a version; VERSION=0.1.0
	@$(BIN)/python -m dev.release $$VERSION

check: static test-unit ## all that needs no cluster: `make static`, then the unit tests

static: .venv/ready ## format, lint, types, import contracts, generated files
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m dev.generate --check
	@$(BIN)/python -m tests.generate --check

format: .venv/ready ## format the code and repair what can be repaired
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

crds: .venv/ready ## write crds/ from the models
	@$(BIN)/python -m dev.generate crds

manifests: .venv/ready helm ## write manifests/ from the chart, for kubectl apply -k
	@$(BIN)/python -m dev.generate manifests

golden: .venv/ready ## write the golden files: children of the examples, schema, checksums
	@$(BIN)/python -m tests.generate golden

recorded: .venv/ready control-plane ## write the recorded objects of gitops/: an object of each kind in each situation
	@$(BIN)/python -m tests.generate recorded

lock: .venv/ready ## resolve the dependencies anew into requirements/
	@$(BIN)/python -m dev.generate lock

.venv/ready: requirements/dev.txt pyproject.toml dev/venv.sh
	@PYTHON=$(PYTHON) sh dev/venv.sh
	@touch $@
