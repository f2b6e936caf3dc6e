# Thin words over the presets. `make demo` does the main job on a fresh Debian 12, `make test` runs every test.
SHELL := /bin/bash
BUILD := scripts/build

PREFIX ?= /usr/local

.PHONY: demo install check test bench lint format clean
demo:    ## Install what is missing, build, materialize examples/driver_stats into SQLite and read it back.
	@scripts/bootstrap build
	@$(BUILD) release banquet
	@examples/driver_stats/run build/release/bin/banquet

install: ## Build the command and install it under PREFIX (/usr/local).
	@scripts/bootstrap build
	@$(BUILD) release banquet
	@cmake --install build/release --prefix "$(PREFIX)"

check:   ## Unit and contract tests under ASan and UBSan.
	@scripts/bootstrap build test
	@$(BUILD) dev all
	@ctest --preset dev -LE live

test:    ## Every test there is.
	@scripts/bootstrap build test
	@scripts/test_environment
	@$(BUILD) dev all
	@$(BUILD) tsan tsan_tests
	@$(BUILD) release all
	@scripts/run_tests

bench:   ## Time Banquet against Feast on the same repository. ROWS=1000000 by default.
	@scripts/bootstrap build test
	@scripts/test_environment
	@$(BUILD) release banquet
	@build/deps/test-venv/bin/python bench/compare.py --banquet build/release/bin/banquet $(BENCH_ARGS)

lint:    ## clang-tidy over the whole tree.
	@scripts/bootstrap build test
	@$(BUILD) lint banquet_proto
	@tools/run_clang_tidy.py build/lint

format:  ## clang-format in place.
	@git ls-files '*.cc' '*.h' | xargs clang-format -i

clean:
	@rm -rf build/release build/dev build/tsan build/lint
