# Everything starts here; `make help` lists what there is. Node 24 is brought into .tools when the system's is too old.

PREFIX ?= /usr/local
CONFIG ?= ./config.json
MINUTES ?= 5
NODE_VERSION := 24.21.0

# The Node to work with: the system's from 24.15 on, else our own from the npm registry.
OS := $(shell uname -s | tr '[:upper:]' '[:lower:]')
ARCH := $(patsubst x86_64,x64,$(patsubst aarch64,arm64,$(shell uname -m)))
NODE_PACKAGE := node-$(OS)-$(ARCH)
NODE_CHECK := const [major, minor] = process.versions.node.split(".").map(Number); \
  process.exit(major > 24 || (major === 24 && minor >= 15) ? 0 : 1)
SYSTEM_NODE := $(shell node -e '$(NODE_CHECK)' 2>/dev/null && echo new-enough)
ifeq ($(SYSTEM_NODE),)
OWN_NODE := .tools/node_modules/$(NODE_PACKAGE)/bin/node
NODE_STAMP := .tools/node-$(NODE_VERSION).stamp
export PATH := $(CURDIR)/$(dir $(OWN_NODE)):$(PATH)
endif

export NPM_CONFIG_AUDIT := false
export NPM_CONFIG_FUND := false
export NPM_CONFIG_LOGLEVEL := error
export NPM_CONFIG_UPDATE_NOTIFIER := false

# A stamp whose result was removed by hand counts for nothing.
REMOVED := $(if $(wildcard dist/main.js),,.tools/build.stamp) \
  $(if $(wildcard node_modules/typescript),,.tools/modules.stamp) \
  $(if $(wildcard $(OWN_NODE)),,$(NODE_STAMP))
$(shell rm -f $(REMOVED))

SOURCES := $(shell find src)
LIB = $(DESTDIR)$(PREFIX)/lib/cutover

.PHONY: build install run demo test test-full fault-table fuzz soak mutate bench clean help
.DELETE_ON_ERROR:

build: .tools/build.stamp ## install what is needed and compile; afterwards bin/cutover runs (the default)

.tools/node-%.stamp:
	@command -v npm >/dev/null || { echo "Building needs npm, and the system has none" >&2; exit 1; }
	npm install --no-save --prefix .tools $(NODE_PACKAGE)@$*
	@touch $@

# By content, not by time: a fresh clone or a switched branch doesn't install anew what is there.
# A linked node_modules, as in a second work tree, belongs to somebody else and is left alone.
.tools/modules.stamp: package-lock.json $(NODE_STAMP)
	@mkdir -p .tools
	@if [ ! -L node_modules ] && ! cmp -s package-lock.json node_modules/.installed-lock.json; then \
	  echo "npm ci --ignore-scripts"; \
	  npm ci --ignore-scripts && \
	  cp package-lock.json node_modules/.installed-lock.json; \
	fi
	@touch $@

# What the Dockerfile copies is what runs: all of it, and nothing beside it.
.dockerignore: package-lock.json Makefile scripts/production-modules.ts $(NODE_STAMP)
	{ printf '%s\n' '*' '!bin' '!dist' '!package.json' '!LICENSE' && node scripts/production-modules.ts | sed 's/^/!/'; } > $@

.tools/build.stamp: .tools/modules.stamp .dockerignore package.json tsconfig.json tsconfig.build.json $(SOURCES)
	rm -rf dist
	node node_modules/typescript/bin/tsc -p tsconfig.build.json
	@touch $@

install: build ## copy what runs to PREFIX/lib/cutover, with a link in PREFIX/bin (PREFIX=/usr/local, DESTDIR=)
	rm -rf $(LIB).new
	mkdir -p $(LIB).new/bin $(DESTDIR)$(PREFIX)/bin
	cp -R dist package.json LICENSE CHANGELOG.md README.md $(LIB).new/
	cp bin/cutover $(LIB).new/bin/
	node scripts/production-modules.ts | tar -cf - -T - | tar -xf - -C $(LIB).new
ifneq ($(OWN_NODE),)
	mkdir -p $(LIB).new/$(dir $(OWN_NODE))
	cp $(OWN_NODE) $(LIB).new/$(OWN_NODE)
endif
	rm -rf $(LIB)
	mv $(LIB).new $(LIB)
	ln -sfn ../lib/cutover/bin/cutover $(DESTDIR)$(PREFIX)/bin/cutover

run: build ## run the proxy with CONFIG=./config.json
	exec bin/cutover run --config $(CONFIG)

demo: build ## upgrade a real application under traffic; MODE=INSTANT, SESSION, GRADUAL, CONCURRENT or ROLLBACK, all by default
	node demo/demo.ts $(MODE)

test: build ## every check and test
	node scripts/test.ts

test-full: build ## the same with long fuzzing and soak runs
	CUTOVER_TEST_FULL=1 node scripts/test.ts

fault-table: build ## measure the fault matrix beside nginx, HAProxy and Caddy; writes docs/reliability.md (about 20 minutes)
	node scripts/fault-table.ts $(ARGS)

fuzz: build ## MINUTES=5 of random messages through the codec and the whole proxy; SEED=n begins at that seed
	FUZZ_KEEP=1 FUZZ_SECONDS=$$(($(MINUTES) * 30)) node node_modules/vitest/vitest.mjs run test/unit/http/fuzz.test.ts test/fuzz

soak: build ## MINUTES=5 of steady load while versions come and go: nothing fails, nothing grows
	node scripts/soak.ts --minutes $(MINUTES) $(ARGS)

mutate: build ## see whether wrong code in core/release and core/routing makes a test fail (about an hour on two cores)
	node_modules/.bin/stryker run $(ARGS)

bench: build ## measure beside other proxies, about 15 minutes; writes docs/performance.md (ARGS="--quick", "--cases small,1m")
	node bench/bench.ts $(ARGS)

clean: ## remove what was built and measured
	rm -rf dist coverage .dockerignore .tools/*.stamp cutover-*.tgz

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
