# The tasks of this project. A bare `make` lists them.

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench eval faults schema fmt

# Runs a command once the tools named before `--` are installed.
with := ./scripts/with-tools.sh

help:
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | awk -F '\t' '{ printf "make %-8s %s\n", $$1, $$2 }'

demo: ## run the real daemon on messy leads against the bundled sandbox CRM (ARGS=--keep leaves it running)
	@$(with) postgres -- cargo run --quiet --locked -- demo $(ARGS)

test: lint ## format, lints, docs, and all tests, against a real PostgreSQL
	$(with) postgres systemd-analyze -- cargo test --locked --features failpoints

lint: ## formatting, clippy and docs, with warnings denied
	cargo fmt --check
	cargo clippy --locked --all-targets --features failpoints -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items --features failpoints

bench: ## measure, and compare with searching and creating one by one
	$(with) postgres -- cargo bench --locked --bench gate

# What else the evaluation is told; --write enters the figures into docs/MATCHING.md.
EVAL ?=

eval: ## how well the matcher finds out who is who, on labelled contacts and leads
	$(with) postgres -- cargo bench --locked --bench eval -- $(EVAL)

# The seeds of each kind of fault, and the first of them.
SEEDS ?= 50
FIRST ?= 1
# One kind alone, by its name in docs/FAULT-REPORT.md.
KIND ?=

faults: ## break everything, SEEDS times in each way (SEEDS=50), and add it to docs/FAULT-REPORT.md
	GATEKEEPER_FAULT_SEEDS=$(SEEDS) GATEKEEPER_TEST_SEED=$(FIRST) GATEKEEPER_FAULT_KIND=$(KIND) $(with) postgres -- \
		cargo test --locked --features failpoints --test it -- faults::whatever --nocapture

schema: ## write tests/snapshots/schema.sql anew after a change of migrations/ or sql/
	GATEKEEPER_WRITE_SNAPSHOTS=1 $(with) postgres -- cargo test --locked --test it the_schema_is_the_committed_one

fmt: ## format the code
	cargo fmt
