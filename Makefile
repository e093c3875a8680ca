# What one can do here. `make run` and `make test` do everything from a fresh Debian 12 with Swift 6.3.
.DEFAULT_GOAL := help
SHELL := /bin/bash

# -use-ld=lld halves the time of a link; exclusivity was checked by the compiler and by the debug tests.
FLAGS := --explicit-target-dependency-import-check error -Xswiftc -use-ld=lld
RELEASE := -c release $(FLAGS) -Xswiftc -enforce-exclusivity=unchecked --static-swift-stdlib
OTTLA := .build/release/ottla

.PHONY: help run test build unit unit-sdk docs conformance conformance-cluster chaos short-chaos chaos-cluster cluster cluster-stop test-demos format lint generate simulate mutants fuzz bench bench-sdk ci packages test-packages bench-packages cluster-packages clean

help: ## list what can be done
	@awk -F':.*## ' '/^[a-z-]+%?:.*## /{printf "  make %-19s %s\n", $$1, $$2}' Makefile

run: build ## start a broker and send a real file through it; Ctrl-C ends it (ONCE=1: ends by itself)
	@scripts/run-demo

test: test-packages build unit unit-sdk conformance test-demos short-chaos ## install what tests need, then run all tests

build: packages ## build the release program: .build/release/ottla
	swift build $(RELEASE) --product ottla

unit: test-packages ## the tests of the modules
	@scripts/unit-tests $(FLAGS)

unit-sdk: test-packages build ## the tests of the SDK, with real brokers, databases and servers
	@scripts/unit-tests --sdk $(FLAGS)

demo-%: test-packages build ## a demo of Examples/: what it needs is started, shown at work, and ended
	@OTTLA_RELEASE='$(RELEASE)' scripts/demo $*

test-demos: test-packages build ## the demos from end to end, with a real broker, database and mail server
	@scripts/demo-tests --flags "$(FLAGS)"

docs: test-packages ## the documentation of the SDK's symbols, in .build/docs; fails on warnings
	@scripts/docs $(FLAGS)

conformance: test-packages build ## the tests with real Kafka clients
	@scripts/conformance-tests

conformance-cluster: test-packages build ## the same clients on three brokers, one of which is always being killed (SEED=)
	@scripts/conformance-tests --cluster-with-faults $(if $(SEED),--seed $(SEED))

chaos: test-packages build ## kills, power cuts, full and failing disks, for ten minutes (ROUNDS=100)
	@scripts/chaos-tests

short-chaos: test-packages build
	@scripts/chaos-tests --short

chaos-cluster: cluster-packages test-packages build ## an hour of harm to a whole cluster (DURATION=3600, SEED=)
	@scripts/chaos-cluster $(ARGS)

cluster: cluster-packages build ## ZooKeeper and three brokers on 9092, 9093, 9094; Ctrl-C ends them (DETACH=1: they stay)
	@scripts/cluster

cluster-stop: ## end what make cluster has started
	@scripts/cluster stop

format: ## rewrite all Swift sources in the house format
	swift format --in-place --recursive --parallel Sources Tests Examples Package.swift

lint: ## complain about format
	swift format lint --strict --recursive --parallel Sources Tests Examples Package.swift

generate: ## write the protocol code anew from Schemas/
	swift run $(FLAGS) schemagen

SIMULATE := --scratch-path .build/simulate -c release -Xswiftc -DDEBUG -Xswiftc -enforce-exclusivity=unchecked $(FLAGS)

simulate: packages ## clusters of simulated brokers, a seed each (SEEDS=1..10000, or ARGS="--seed 7 --trace")
	swift build $(SIMULATE) --product simulate
	.build/simulate/release/simulate $(or $(ARGS),--seeds $(or $(SEEDS),1..1000))

mutants: packages ## bugs of the past, put back one by one: some seed has to find each
	swift build $(SIMULATE) --product simulate
	.build/simulate/release/simulate --mutants

fuzz: packages ## fuzz the request decoders (SECONDS=600)
	Fuzz/run $(or $(SECONDS),600)

bench: bench-packages build ## measure, and print the table of docs/benchmarks.md (ARGS="--quick")
	Benchmarks/run $(ARGS)

bench-sdk: bench-packages build ## the Swift SDK beside librdkafka's C API (RUNS=5)
	swift build $(RELEASE) --product sdkbench
	$(MAKE) -s -f Benchmarks/Makefile
	Benchmarks/sdk $(ARGS)

ci: ## what every change must pass
	@scripts/ci

packages:
	@scripts/packages build

test-packages:
	@scripts/packages test

bench-packages:
	@scripts/packages bench

cluster-packages:
	@scripts/packages cluster

clean: ## remove what was built
	rm -rf .build
