# Thin words over the presets. `make demo` does the main job on a fresh Debian 12, `make test` runs every test.
SHELL := /bin/bash
BUILD := scripts/build

PREFIX ?= /usr/local

.PHONY: demo install wheel check test bench lint format clean
demo:    ## Install what is missing, build, materialize examples/driver_stats into SQLite and read it back.
	@scripts/bootstrap build
	@$(BUILD) release banquet
	@examples/driver_stats/run build/release/bin/banquet

install: ## Build the command and install it under PREFIX (/usr/local).
	@scripts/bootstrap build
	@$(BUILD) release banquet
	@cmake --install build/release --prefix "$(PREFIX)"

wheel:   ## The Python wheel, in build/wheel: command, Feast's batch engine and Python API (docs/python.md).
	@scripts/bootstrap build wheel
	@$(BUILD) release banquet
	@tools/make_wheel.py build/release/bin/banquet build/deps/patchelf/bin/patchelf build/wheel

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

bench:   ## Measure the goals, SCALE=small|brief|default|full (5 minutes, 15, an hour, hours); BENCH_ARGS="--page docs/benchmarks.md" writes the page.
	@scripts/bootstrap build test bench
	@scripts/test_environment
	@$(BUILD) bench benches
	@mkdir -p build/bench
	@build/release/bin/banquet_micro --benchmark_min_time=0.2 --benchmark_out=build/bench/micro.json
	@PYTHONPATH=bench PYTHONDONTWRITEBYTECODE=1 build/deps/test-venv/bin/python -m compare --scale $(or $(SCALE),default) $(BENCH_ARGS)

lint:    ## clang-tidy over the whole tree.
	@scripts/bootstrap build test
	@$(BUILD) lint banquet_proto
	@tools/run_clang_tidy.py build/lint

format:  ## clang-format in place.
	@git ls-files '*.cc' '*.h' | xargs clang-format -i

clean:
	@rm -rf build/release build/dev build/tsan build/lint
