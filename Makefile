# Atoll's front door: every job of this checkout is a target here. `make` alone lists them.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

CHECKOUT := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
TARGET := $(CHECKOUT)/target
CARGO_TARGET_DIR := $(TARGET)/cargo
export CARGO_TARGET_DIR

# A JDK 25, wherever it is; `java` on the PATH may well be another one. Asked only by recipes that need it.
WITH_JAVA = JAVA_HOME="$$(deploy/dist/find-java)"; export JAVA_HOME;
MAVEN := ./mvnw -B -q

ENGINE := $(CARGO_TARGET_DIR)/release/libatoll_engine.so
LAUNCHER := $(TARGET)/launcher/containerd-shim-wasmtime-v1
DIST := $(TARGET)/.dist
JARS := $(TARGET)/.jars
GUESTS := $(TARGET)/.guests
TOOLS := $(TARGET)/.tools

engine_sources := $(shell find sandbox/native -name '*.rs' -o -name 'Cargo.*' -o -name '*.h')
launcher_sources := $(shell find shim/launcher -name '*.[ch]' -o -name Makefile)
java_sources := pom.xml $(shell find oci sandbox shim deploy e2e -path '*/target' -prune -o \( -name '*.java' -o -name '*.proto' -o -name pom.xml \) -print)
guest_sources := $(shell find e2e/guests -path '*/target' -prune -o -type f -print)

## What users run

.PHONY: help
help: ## List the targets.
	@echo 'make TARGET, where TARGET is one of'
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  %-10s %s\n", $$1, $$2} /^## /{printf "\n%s\n", substr($$0, 4)}' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(DIST) $(GUESTS) ## Run a pod from a .wasm in a registry on a private containerd, and show what happened. Needs root.
	$(WITH_JAVA) e2e/demo/run

.PHONY: test
test: check unit node ## Everything: formats, lints, unit, integration and node tests. Needs root.

.PHONY: e2e
e2e: $(DIST) $(GUESTS) ## Tests on a real Kubernetes, a plain cluster of processes. Needs root.
	e2e/node/prepare cluster
	$(WITH_JAVA) e2e/cluster/test plain

.PHONY: bench
bench: $(DIST) $(GUESTS) ## Measure against runc in one run; writes docs/benchmarks.md and target/bench.json. Needs root.
	$(WITH_JAVA) e2e/bench/run

.PHONY: dist
dist: $(DIST) ## Build target/dist: launcher, daemon, command line, Java runtime; relocatable.

## What developers run

.PHONY: build
build: $(ENGINE) $(LAUNCHER) $(JARS) ## Build engine, launcher and jars.

.PHONY: check
check: $(TOOLS) ## Formats and lints, without changing anything.
	$(WITH_JAVA) $(MAVEN) spotless:check
	cd sandbox/native && cargo fmt --check && cargo clippy --release --all-targets --locked -- -D warnings
	cd e2e/guests && cargo fmt --check
	$(MAKE) -C shim/launcher check

.PHONY: unit
unit: $(ENGINE) $(LAUNCHER) $(GUESTS) ## Unit and integration tests of every module; no containerd.
	cd sandbox/native && cargo test --release --locked
	$(MAKE) -C shim/launcher test OUT=$(TARGET)/launcher
	$(WITH_JAVA) ./mvnw -B verify -Datoll.skip.node=true

.PHONY: node
node: $(DIST) $(GUESTS) ## Tests on real containerds, driven through CRI as a kubelet would.
	deploy/dist/test $(TARGET)/dist
	e2e/node/prepare test
	$(WITH_JAVA) ./mvnw -B verify -pl e2e -am -Datoll.skip.unit=true -Datoll.skip.it=true

.PHONY: fix
fix: ## Format all sources.
	$(WITH_JAVA) $(MAVEN) spotless:apply
	cd sandbox/native && cargo fmt
	cd e2e/guests && cargo fmt
	$(MAKE) -C shim/launcher fix

.PHONY: clean
clean: ## Remove what was built, but not the tools that took long to get (target/tools).
	find target -mindepth 1 -maxdepth 1 ! -name tools -exec rm -rf {} + 2>/dev/null || true
	rm -rf oci/target oci/proto/target sandbox/target shim/target shim/proto/target deploy/target e2e/target e2e/proto/target

# Files

# What is missing is told before anything long begins.
$(TOOLS): e2e/node/prepare
	@deploy/dist/find-java >/dev/null
	e2e/node/prepare demo
	@touch $@

$(ENGINE): $(engine_sources) | $(TOOLS)
	cd sandbox/native && cargo build --release --locked
	@touch $@

$(LAUNCHER): $(launcher_sources) | $(TOOLS)
	$(MAKE) -C shim/launcher OUT=$(TARGET)/launcher

$(JARS): $(java_sources)
	$(WITH_JAVA) $(MAVEN) package -Datoll.skip.unit=true
	@mkdir -p $(@D) && touch $@

$(GUESTS): $(guest_sources) | $(TOOLS)
	e2e/guests/build
	@touch $@

$(DIST): $(ENGINE) $(LAUNCHER) $(JARS) $(wildcard deploy/dist/*)
	$(WITH_JAVA) deploy/dist/build --engine $(ENGINE) --launcher $(LAUNCHER) --output $(TARGET)/dist
	@touch $@
