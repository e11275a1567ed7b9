# Entry points; `make help` lists them. Each is one line over a script or a package script.
# bash, named: make runs simple lines without a shell and would then look programs up on its own PATH, not on this one.
SHELL := bash
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
CLUSTER := node test/cluster/cli.ts
.DEFAULT_GOAL := help
.PHONY: help bootstrap build check test demo cluster-build cluster-start cluster-stop clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

bootstrap: ## install npm packages, and redis-server when it is missing
	@scripts/bootstrap.sh

build: bootstrap ## compile to dist/
	@npm run --silent build

check: cluster-build ## everything that a change must pass before it is pushed
	@npm run --silent check

test: check build ## all tests: check, then the integration suites on a real control plane and a real Redis
	@npm run --silent test:integration

demo: build cluster-build ## the main job, end to end: MODE=distributed, KEEP=1
	@npm run --silent demo --

cluster-build: bootstrap ## find the control plane's binaries, or build them (4 minutes, once per version)
	@$(CLUSTER) build

cluster-start: cluster-build ## start a control plane in the background; prints its kubeconfig
	@$(CLUSTER) start --detach

cluster-stop: bootstrap ## stop it
	@$(CLUSTER) stop

clean: ## remove what was built in the work tree
	@rm -rf dist node_modules .tmp
