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

# ARCH=arm64 makes `dist`, `image` and `imagetest` do their work for that architecture, beside what is this machine's own.
ifdef ARCH
ifneq ($(ARCH),arm64)
$(error ARCH is '$(ARCH)': accepted is arm64; without ARCH it is the architecture of this machine)
endif
RUST_TARGET := aarch64-unknown-linux-gnu
CROSS := aarch64-linux-gnu-
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER := $(CROSS)gcc
endif
FOR_ARCH := $(ARCH:%=-%)

ENGINE := $(CARGO_TARGET_DIR)/$(RUST_TARGET:%=%/)dist/libatoll_engine.so
LAUNCHER := $(TARGET)/launcher$(FOR_ARCH)/containerd-shim-wasmtime-v1
DIST := $(TARGET)/.dist$(FOR_ARCH)
JARS := $(TARGET)/.jars
GUESTS := $(TARGET)/.guests
TOOLS := $(TARGET)/.tools$(FOR_ARCH)
CHART_TOOLS := $(TARGET)/.tools-chart
HELM := $(TARGET)/tools/helm/helm
KUBECONFORM := $(TARGET)/tools/kubeconform/kubeconform

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

.PHONY: image
image: $(DIST) ## Pack target/dist into the installer's image, target/image/atoll.tar, with its SBOM.
	$(WITH_JAVA) deploy/image/build --dist $(TARGET)/dist$(FOR_ARCH) --output $(TARGET)/image$(FOR_ARCH)

.PHONY: images
images: image ## The image for this machine's architecture and for arm64 in one, target/images/atoll.tar.
	$(MAKE) image ARCH=arm64
	deploy/image/join --output $(TARGET)/images $(TARGET)/image $(TARGET)/image-arm64

.PHONY: install
install: $(DIST) ## Install target/dist on this machine, which runs containerd. Needs root.
	$(TARGET)/dist/bin/atoll install

.PHONY: uninstall
uninstall: $(DIST) ## Take Atoll away from this machine. Needs root.
	$(TARGET)/dist/bin/atoll uninstall

.PHONY: doctor
doctor: $(DIST) ## Examine this machine: what is wrong, and what to do. Needs root.
	$(TARGET)/dist/bin/atoll doctor

.PHONY: test
test: check chart unit node e2e ## Everything: formats, lints, unit, integration, node and cluster tests. Needs root.

.PHONY: e2e
e2e: $(GUESTS) $(CHART_TOOLS) image ## Tests on a real Kubernetes: all on a plain cluster of processes, the few that use each part once on kind. Needs root.
	e2e/node/prepare kind
	$(WITH_JAVA) e2e/cluster/test plain
	$(WITH_JAVA) e2e/cluster/test kind smoke

.PHONY: bench
bench: $(DIST) $(GUESTS) ## Measure against runc in one run; writes docs/benchmarks.md and target/bench.json. Needs root.
	$(WITH_JAVA) e2e/bench/run

.PHONY: dist
dist: $(DIST) ## Build target/dist: launcher, daemon, command line, Java runtime; relocatable. ARCH=arm64: target/dist-arm64.

## What developers run

.PHONY: build
build: $(ENGINE) $(LAUNCHER) $(JARS) ## Build engine, launcher and jars.

.PHONY: check
check: $(TOOLS) ## Formats and lints, without changing anything.
	$(WITH_JAVA) $(MAVEN) spotless:check
	cd sandbox/native && cargo fmt --check && cargo clippy --release --all-targets --locked -- -D warnings
	cd e2e/guests && cargo fmt --check
	$(MAKE) -C shim/launcher check

.PHONY: chart
chart: $(CHART_TOOLS) ## Lint the chart, compare deploy/atoll.yaml with what it renders, and validate it and the samples by Kubernetes' schemas.
	$(HELM) lint --strict deploy/chart
	deploy/chart-manifest $(HELM) | diff -u deploy/atoll.yaml - || { echo 'deploy/atoll.yaml is not what the chart renders: run make manifests' >&2; exit 1; }
	$(KUBECONFORM) -strict -summary -schema-location \
	    '$(dir $(KUBECONFORM))schemas/{{.Group}}/{{.ResourceAPIVersion}}/{{.ResourceKind}}.json' runtimeclass-manifests deploy/atoll.yaml

.PHONY: manifests
manifests: $(CHART_TOOLS) ## Render deploy/atoll.yaml from the chart.
	deploy/chart-manifest $(HELM) >deploy/atoll.yaml

.PHONY: unit
unit: $(ENGINE) $(LAUNCHER) $(GUESTS) ## Unit and integration tests of every module; no containerd.
	cd sandbox/native && cargo test --release --locked
	$(MAKE) -C shim/launcher test OUT=$(TARGET)/launcher
	$(WITH_JAVA) ./mvnw -B verify -Datoll.skip.node=true

.PHONY: node
node: $(DIST) $(GUESTS) image ## Tests on real containerds, driven through CRI as a kubelet would.
	deploy/dist/test $(TARGET)/dist
	deploy/image/test $(TARGET)/image
	e2e/node/prepare test
	$(WITH_JAVA) ./mvnw -B verify -pl e2e -am -Datoll.skip.unit=true -Datoll.skip.it=true

.PHONY: imagetest
imagetest: image ## Run what the image holds; with ARCH=arm64 under qemu-user.
	deploy/image/test $(TARGET)/image$(FOR_ARCH) $(if $(ARCH),$(TARGET)/tools/qemu-aarch64)

.PHONY: fix
fix: ## Format all sources.
	$(WITH_JAVA) $(MAVEN) spotless:apply
	cd sandbox/native && cargo fmt
	cd e2e/guests && cargo fmt
	$(MAKE) -C shim/launcher fix

.PHONY: clean
clean: ## Remove what was built, but not the tools that took long to get (target/tools).
	find target -mindepth 1 -maxdepth 1 ! -name tools -exec rm -rf {} + 2>/dev/null || true
	rm -rf oci/target oci/proto/target sandbox/target shim/target shim/proto/target deploy/target deploy/proto/target e2e/target

# Files

# What is missing is told before anything long begins.
$(TOOLS): e2e/node/prepare
	@deploy/dist/find-java >/dev/null
	e2e/node/prepare $(or $(ARCH),demo)
	@touch $@

$(CHART_TOOLS): e2e/node/prepare e2e/cluster/schemas/main.go
	e2e/node/prepare chart
	@touch $@

$(ENGINE): $(engine_sources) | $(TOOLS)
	cd sandbox/native && cargo build --profile dist --locked $(RUST_TARGET:%=--target %)
	@touch $@

$(LAUNCHER): $(launcher_sources) | $(TOOLS)
	$(MAKE) -C shim/launcher OUT=$(@D) CROSS=$(CROSS)

$(JARS): $(java_sources)
	$(WITH_JAVA) $(MAVEN) package -Datoll.skip.unit=true
	@mkdir -p $(@D) && touch $@

$(GUESTS): $(guest_sources) | $(TOOLS)
	e2e/guests/build
	@touch $@

$(DIST): $(ENGINE) $(LAUNCHER) $(JARS) $(wildcard deploy/dist/*)
	$(WITH_JAVA) deploy/dist/build --engine $(ENGINE) --launcher $(LAUNCHER) --output $(TARGET)/dist$(FOR_ARCH) \
	    $(ARCH:%=--jmods $(TARGET)/tools/java-%)
	@touch $@
