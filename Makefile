# What people type. `make help` lists it.

export GOFLAGS := -buildvcs=false $(GOFLAGS)
export GARRISON_SHARED ?= $(wildcard $(abspath ../shared))

BUILD    := build
VENV     := $(BUILD)/venv
PYTHON   ?= python3
RELEASE  := $(or $(shell git describe --tags --always --dirty 2>/dev/null),unknown)
LDFLAGS  := -s -w -X main.release=$(RELEASE)
FUZZTIME ?= 10s
ROUNDS   ?= 100
TARGETS  := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64

.DEFAULT_GOAL := help
.PHONY: help
help: ## say what there is
	@awk -F ': *## *|:[^#]*## *' '/^[a-z0-9-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: ## serve in ./garrison-data, on 127.0.0.1:4566
	go run ./cmd/garrison serve

.PHONY: build
build: ## the static program: build/garrison
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o $(BUILD)/garrison ./cmd/garrison

.PHONY: helper
helper: ## the program that loads a PKCS #11 module, which needs a C compiler: build/garrison-pkcs11
	CGO_ENABLED=1 go build -trimpath -ldflags '-s -w' -o $(BUILD)/garrison-pkcs11 ./cmd/garrison-pkcs11

.PHONY: generate
generate: ## write api/ and docs/coverage.md from the service models
	go generate ./...
	go test -count=1 -run TestCoverageIsInStep ./cmd/garrison -rewrite

.PHONY: test
test: $(VENV)/ready fuzz-seconds ## all tests, with the race detector, AWS's own clients and a few seconds of fuzzing
	go test -race -timeout 25m $(if $(GARRISON_CI),-count=1) ./...

.PHONY: e2e
e2e: $(VENV)/ready ## the scripts alone; make e2e RUN=iam for some of them
	go test -race -count=1 -timeout 25m -run '$(or $(RUN),.)' ./e2e

.PHONY: fips
fips: $(VENV)/ready ## the first session where Go refuses what FIPS 140-3 does not approve; make test holds it too
	go test -race -count=1 -timeout 10m -run 'TestScripts/start/fips' ./e2e

.PHONY: check
check: check-generated check-format check-vet check-lint check-arrows check-tidy check-builds ## what must hold besides the tests
	@echo 'make check: all is well'

.PHONY: check-generated check-format check-vet check-lint check-arrows check-tidy check-builds
check-generated:
	go run ./modelgen -check
	go test -count=1 -run TestCoverageIsInStep ./cmd/garrison
check-format:
	@unformatted=$$(gofmt -l $$(find . -name '*.go' -not -path './$(BUILD)/*')); [ -z "$$unformatted" ] || { echo "not formatted (gofmt -w):"; echo "$$unformatted"; exit 1; }
check-vet:
	go vet ./...
	CGO_ENABLED=0 go vet ./hsm/... ./cmd/garrison-pkcs11
check-lint:
	go tool staticcheck ./...
check-arrows:
	go test -run 'TestArrows|TestPolicyIsPure|TestPackageComments' .
check-tidy:
	go mod verify
	go mod tidy -diff
# Linux on amd64 as it is released, which the image's test builds too; the others without the optimiser, in two thirds of the time.
check-builds: $(TARGETS:%=check-build/%)
check-build/%:
	CGO_ENABLED=0 GOOS=$(word 1,$(subst /, ,$*)) GOARCH=$(word 2,$(subst /, ,$*)) go build $(if $(filter linux/amd64,$*),,-gcflags=all='-N -l') -o $(BUILD)/cross/$(subst /,-,$*)/ ./cmd/garrison

.PHONY: vuln
vuln: ## known weaknesses in what is used; needs the Go vulnerability database (DB=URL for a copy)
	go tool govulncheck $(if $(DB),-db $(DB)) ./...

.PHONY: bench
bench: build ## the table of docs/performance.md
	go run ./bench -garrison $(BUILD)/garrison
	go test -run '^$$' -bench Decide -cpu 1 ./policy
	go test -run '^$$' -bench 'Encode|Decode' -cpu 1 ./wire/codecs

.PHONY: fuzz fuzz-seconds
fuzz: ## every fuzz target for FUZZTIME (10s)
	sh .ci/fuzz $(FUZZTIME)
fuzz-seconds:
	sh .ci/fuzz 2s

.PHONY: soak
soak: $(VENV)/ready ## the long form of the tests that have one; ROUNDS=100 kills
	GARRISON_SOAK=$(ROUNDS) go test -race -count=1 -timeout 4h ./...

.PHONY: image
image: ## a container image, without a daemon: build/garrison-image.tar
	CGO_ENABLED=0 GOOS=linux go build -trimpath -ldflags '$(LDFLAGS)' -o $(BUILD)/image/garrison ./cmd/garrison
	go run ./internal/image -binary $(BUILD)/image/garrison -tag garrison:$(RELEASE) -out $(BUILD)/garrison-image.tar

.PHONY: clean
clean: ## remove what was built
	rm -rf $(BUILD)

# AWS's own clients, for the e2e scripts. Without them the tests fail.
$(VENV)/ready: e2e/requirements.txt
	$(PYTHON) -m venv --clear $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r e2e/requirements.txt
	$(VENV)/bin/aws --version
	touch $@
