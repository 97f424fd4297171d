# The tasks of this repository; `make` alone lists them. The work itself is in scripts/.

.DEFAULT_GOAL := help
.PHONY: help install build release run test test-clients dev-up dev-down db-migrate smoke fuzz fuzz-http fuzz-api demo-identity \
    demo-uploads demo-publishing demo-policy phase1-demo phase2-demo phase3-demo phase4-demo sanitize race bench bench-cost load worker-drill \
    exit-drill format lint docs clean

# The same flags everywhere a release is built, so that nothing is built twice. The Swift runtime is linked in, so that
# the program runs without the toolchain.
RELEASE := swift build --configuration release --product artifortress --static-swift-stdlib
# The HTTP server alone, for measurements.
HTTP_BENCH := .build/release/http-bench
SOURCES := Package.swift Sources Tests

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: ## install the Debian packages that building and running need
	@scripts/install

build: install ## build for debugging
	swift build

release: install ## build the program: .build/release/artifortress
	$(RELEASE)

.PHONY: $(HTTP_BENCH)
$(HTTP_BENCH):
	swift build --configuration release --product http-bench --static-swift-stdlib

run: release ## start the server on ./artifortress-data, and print commands to try
	@scripts/run

test: ## run lint, then test everything on both databases and both storages
	@scripts/test

worker-drill: ## kill two workers at random during ten thousand events, and check that each was handled once
	ARTIFORTRESS_TEST_WORKER_EVENTS=10000 scripts/test --filter WorkerRivalTests

exit-drill: build ## end the worker and the server 1,000 times each, and count how they ended (long)
	@scripts/with-services scripts/exit-drill .build/debug/artifortress 1000

test-clients: ## test with curl, wget, Python, Java, Go, Rust, apt, and reverse proxies, on both shapes
	@scripts/test-clients

dev-up: ## start PostgreSQL and an S3 store in .dev/ and print them as settings
	@scripts/dev up

dev-down: ## stop them; their data is kept
	@scripts/dev down

db-migrate: build ## bring the schema of the database in the settings up to date
	.build/debug/artifortress migrate

smoke: build ## start the server on an empty folder, upload a file, download it again
	@scripts/smoke .build/debug/artifortress

fuzz: ## fuzz the HTTP parsers with libFuzzer and address sanitizer, a minute each
	@scripts/fuzz-parsers $(FUZZ_SECONDS)

fuzz-http: $(HTTP_BENCH) ## compare how 100,000 generated requests are read with nginx, h11 and httptools
	@scripts/fuzz-http $(HTTP_BENCH) $(or $(FUZZ_COUNT),100000)

fuzz-api: build ## send 10,000 generated requests to a server: no 5xx, every answer as in docs/openapi.yaml
	@scripts/fuzz-api .build/debug/artifortress

demo-identity: build ## show tokens, roles, rejections and the audit log on a server with an empty folder
	@scripts/demo-identity .build/debug/artifortress

demo-uploads: build ## show uploads through sessions and downloads, step by step, on both shapes
	@scripts/demo-uploads .build/debug/artifortress

demo-publishing: build ## show drafts, publish, release sets, tags and attestations, step by step, on both shapes
	@scripts/demo-publishing .build/debug/artifortress

demo-policy: build ## show search, webhooks, policy, quarantine and promotion, step by step, on both shapes
	@scripts/demo-policy .build/debug/artifortress

# Former names.
phase1-demo: demo-identity
phase2-demo: demo-uploads
phase3-demo: demo-publishing
phase4-demo: demo-policy

race: ## run concurrent publishes twenty times while the server is killed, on both shapes (long)
	ARTIFORTRESS_TEST_RACE_ROUNDS=20 scripts/test --filter PublishRaceTests

sanitize: install ## run the suite under the thread and the address sanitizer (long)
	scripts/sanitize thread
	scripts/sanitize address

bench: release $(HTTP_BENCH) ## measure beside nginx and docker-registry, and write docs/benchmarks.md
	@scripts/bench.d/http $(HTTP_BENCH) docs/benchmarks/http.md
	@scripts/bench .build/release/artifortress docs/benchmarks.md
	@scripts/bench.d/publish .build/release/artifortress docs/benchmarks/publishing.md
	@scripts/bench.d/search .build/release/artifortress docs/benchmarks/search.md

bench-cost: release $(HTTP_BENCH) ## count instructions and allocations of requests; writes docs/benchmarks/cost.md
	@scripts/install bench
	@python3 scripts/bench.d/cost.py $(HTTP_BENCH) .build/release/artifortress docs/benchmarks/cost.md

load: release ## uploads and downloads by many clients on both shapes; writes docs/benchmarks/load.md
	@scripts/load .build/release/artifortress docs/benchmarks/load.md

format: ## format the sources
	swift format --in-place --parallel --recursive $(SOURCES)

lint: ## check the format, the language, and that names compare as bytes
	swift format lint --strict --parallel --recursive $(SOURCES)
	@scripts/lint-language
	@scripts/lint-names

docs: build ## write the pages that are generated from the sources
	.build/debug/artifortress config --docs >docs/configuration.md
	.build/debug/artifortress openapi >docs/openapi.yaml

clean: ## remove build products, and the development services with their data
	@scripts/dev remove
	rm -rf .build .dev
