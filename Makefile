# make check is what CI runs. The steps themselves are in .ci/run.

.DEFAULT_GOAL := help
TOOL := go tool -modfile=tools/go.mod
FUZZTIME ?= 1m
BENCH ?= .
KILLS ?= 200
SEEDS ?= 1000
FROM ?= 1

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/replica
	go build -o bin/replica ./cmd/replica

.PHONY: demo
demo: ## start four replicas on this machine and finalise 200000 vertices
	go run ./cmd/replica demo

.PHONY: test
test: ## run all tests
	.ci/run unit

.PHONY: race
race: ## run all tests under the race detector
	.ci/run race

.PHONY: lint
lint: ## run the linters of .golangci.yml
	.ci/run lint

.PHONY: check
check: ## run exactly what CI runs
	.ci/run

.PHONY: fmt
fmt: ## format the sources and tidy go.mod
	gofmt -w $$(git ls-files '*.go')
	go mod tidy
	cd bench && go mod tidy

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME (1m)
	FUZZTIME=$(FUZZTIME) .ci/run fuzz

.PHONY: sim
sim: ## simulate SEEDS seeds from FROM under faults and lying members
	go run ./cmd/replica sim --seeds $(SEEDS) --from $(FROM)

.PHONY: explore
explore: ## visit the states of four members for ten minutes
	go run ./cmd/replica explore --time 10m

.PHONY: mutants
mutants: ## break every rule once and show which test or seed notices
	go run ./testkit/mutants

.PHONY: kill
kill: ## kill replicas under load, KILLS times (200), and audit what is left
	go run ./testkit/kill -kills $(KILLS)

.PHONY: bench
bench: ## run the benchmarks that match BENCH, ten times, and summarise them
	go test -run '^$$' -bench '$(BENCH)' -benchmem -count 10 ./... | tee bench.out
	$(TOOL) benchstat bench.out

.PHONY: performance
performance: ## measure what docs/performance.md shows, and print it in Markdown
	.ci/performance

.PHONY: plots
plots: ## measure what docs/performance.md plots, and draw it in docs/plots
	.ci/plots

.PHONY: peers
peers: ## measure replicas beside hashicorp/raft and CometBFT
	cd bench && go run .

.PHONY: peers-test
peers-test: ## test the module that measures them
	.ci/run bench

.PHONY: cover
cover: ## show the statements no test reaches, package by package
	go test -coverpkg=./... -coverprofile=cover.out ./...
	go tool cover -func=cover.out

.PHONY: cross
cross: ## check that the sources compile for other systems
	GOOS=darwin GOARCH=arm64 go build ./...
	GOOS=linux GOARCH=arm64 go build ./...

.PHONY: vuln
vuln: ## look for known vulnerabilities (needs the online database, so CI does not)
	$(TOOL) govulncheck ./...
