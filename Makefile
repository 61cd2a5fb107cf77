# Everything that is done to Tesdiq from the command line. `make` alone lists it.
SHELL := /bin/bash

# A checkout that belongs to somebody else (a container, a mounted folder) has no version control that Go may ask.
GO_BUILD := go build -buildvcs=false
# In step with what was tried; `go run` fetches and keeps it.
STATICCHECK := go run honnef.co/go/tools/cmd/staticcheck@v0.8.2
# The race detector makes everything several times slower: it watches the packages in which goroutines meet and whose
# tests are short. `make race` watches all.
RACE := $(patsubst %/,./%,$(wildcard internal/worker/ internal/message/smpp/ internal/privatepg/ issuer/ web/ verifier/verifierweb/))
# Where tests write: in memory, where that is possible.
IN_MEMORY = TMPDIR="$$(scripts/tmp.sh)"
FUZZTIME ?= 1m
BENCHTIME ?= 1s
KILLS ?= 100
SCHEMA := internal/postgres/schema.sql

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

.PHONY: run
run: install-run build ## installs what is missing, starts everything here with invented people: http://localhost:8080 (ARGS="-people 1000")
	@exec bin/tesdiq demo $(ARGS)

.PHONY: build
build: ## all programs, into bin/
	@$(GO_BUILD) -o bin/ ./cmd/...

.PHONY: test
test: install-test ## installs what the tests need, runs all: unit, real PostgreSQL, real browser
	@if $(MAKE) --no-print-directory test-go test-browser; then echo 'make test: all tests passed'; \
	else echo 'make test: FAILED'; exit 1; fi

# Without vet, which `make lint` does for all packages and their tests.
.PHONY: test-go
test-go:
	@cd test/smsc && npm ci --no-audit --no-fund --loglevel=error
	@$(IN_MEMORY) go test -vet=off -timeout 15m $(filter-out $(RACE:./%=github.com/tesdiq/tesdiq/%),$(shell go list ./...))
	@$(if $(RACE),$(IN_MEMORY) go test -vet=off -timeout 15m -race $(RACE))

.PHONY: test-browser
test-browser: build
	@cd test/browser && npm ci --no-audit --no-fund --loglevel=error && TMPDIR="$$(../../scripts/tmp.sh)" node run.mjs

.PHONY: race
race: install-test ## all Go tests under the race detector
	$(IN_MEMORY) go test -timeout 30m -race ./...

.PHONY: lint
lint: install-run ## formatting, vet, staticcheck, schema dump is current
	@bad=$$(git ls-files -z '*.go' | xargs -0r gofmt -l); [ -z "$$bad" ] || { echo "not formatted (gofmt -w):"; echo "$$bad"; exit 1; }
	@for script in $$(git ls-files scripts '*.sh' .ci); do bash -n "$$script" || exit 1; done
	go vet ./...
	CGO_ENABLED=0 go build ./...
	$(STATICCHECK) ./...
	go run ./internal/postgres/dumpschema -check $(SCHEMA)

.PHONY: check
check: lint test ## lint and test: what CI runs

.PHONY: bench
bench: install-run ## Go benchmarks (BENCHTIME=1s)
	go test -run '^$$' -bench . -benchtime $(BENCHTIME) -benchmem ./...

.PHONY: endure
endure: install-test ## nothing is lost: service and PostgreSQL killed 100 times each under load (KILLS=100), ten minutes
	$(IN_MEMORY) TESDIQ_KILLS=$(KILLS) go test -count=1 -timeout 90m -run '^TestNothingIsLost$$' -v ./cmd/tesdiq

.PHONY: endure-cases
endure-cases: install-test ## cases are decided, once, though the service is killed 100 times (KILLS=100) while they move, ten minutes
	go test -count=1 -timeout 60m -run '^TestCasesAreDecidedThoughTheServiceIsKilled$$' -v ./cmd/tesdiq -args -case-kills $(KILLS)

.PHONY: flip
flip: ## every single byte of a signed file changed, one after the other: none may pass (two minutes)
	TESDIQ_EVERY_BYTE=1 go test -count=1 -timeout 30m -run '^TestEveryByte' -v ./verifier/pades

.PHONY: fuzz
fuzz: ## every fuzz target for a minute (FUZZTIME=1m)
	@scripts/fuzz.sh $(FUZZTIME)

.PHONY: interop
interop: install-interop build ## our PDFs before independent judges: pdfsig, qpdf, mutool, openssl, pyHanko, EU DSS, veraPDF
	@$(IN_MEMORY) scripts/interop.sh

.PHONY: units
units: build ## the systemd units in a container with a systemd of its own, set up as docs/processes.md says (as root)
	@test/systemd/boot.sh

.PHONY: migrate
migrate: build ## brings the database of DATABASE_URL to this version
	@bin/tesdiq migrate

.PHONY: schema
schema: install-run ## writes the schema dump and the table of rights after a new migration
	go run ./internal/postgres/dumpschema $(SCHEMA)
	go test ./internal/postgres -run TestPrivileges -update

.PHONY: pictures
pictures: install-test build ## the README's pictures, taken from the running program
	@cd test/browser && npm ci --no-audit --no-fund --loglevel=error && node pictures.mjs

.PHONY: clean
clean: ## removes the programs; the demo's data in var/ stays
	rm -rf bin

.PHONY: install-run install-test install-interop
install-run install-test install-interop: install-%:
	@scripts/install.sh $*
