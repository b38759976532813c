# The commands of the project, each with one word. .ci/run holds those of more
# than one line, because it must also run where there is no make.

GO       ?= go
FUZZTIME ?= 10s

.PHONY: help fmt lint test race bench fuzz cross soak ci

help: ## print this list (the default)
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 8

fmt: ## format the code
	gofmt -s -w .

lint: ## gofmt, vet, staticcheck and the policy tests
	bash .ci/run format vet staticcheck policy

test: ## run the tests
	$(GO) test ./...

race: ## run the tests with the race detector
	$(GO) test -race ./...

bench: ## measure everything against its peers, for a quarter of an hour
	cd bench && $(GO) run .

fuzz: ## fuzz each target for FUZZTIME (10s)
	FUZZTIME=$(FUZZTIME) bash .ci/run fuzz

cross: ## vet for the other platforms
	bash .ci/run cross

soak: ## run the tests with long loops, for up to an hour a package
	TRIGO_SOAK=1 $(GO) test -race -count=1 -timeout 1h ./...

ci: ## everything that must pass before a change is taken
	bash .ci/run
