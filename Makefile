# Entry points; `make help` lists them. Each is one line over a package script or test/cluster.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
.DEFAULT_GOAL := help
.PHONY: help bootstrap build check test demo cluster-build clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

bootstrap: ## install npm packages and redis-server when missing
	@bash scripts/bootstrap.sh

cluster-build: bootstrap ## build or find the control plane's binaries
	@node test/cluster/cli.ts build

build: bootstrap ## compile to dist/
	@npm run --silent build

check: cluster-build ## everything that a change must pass before it is pushed
	@npm run --silent check

test: check ## all tests: check, then the integration suites on a real control plane and a real Redis
	@npm run --silent build && npm run --silent test:integration

demo: build cluster-build ## the main job, end to end: MODE=distributed, KEEP=1
	@node test/demo/demo.ts

clean: ## remove what was built in the work tree
	@rm -rf dist node_modules
