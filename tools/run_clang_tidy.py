#!/usr/bin/env python3
"""Runs clang-tidy over every source file of src/banquet, two at a time. Usage: run_clang_tidy.py BUILD_DIR.

The compile commands are g++'s, some of whose warnings clang does not know.
"""
import concurrent.futures
import pathlib
import subprocess
import sys


def check(build, path):
    found = subprocess.run(["clang-tidy", "--quiet", "-p", build, "--extra-arg=-Wno-unknown-warning-option", str(path)], capture_output=True, text=True)
    return path, found.returncode, found.stdout


def main():
    build = sys.argv[1]
    paths = sorted(p for p in pathlib.Path("src/banquet").rglob("*.cc") if not p.name.endswith("_test.cc"))
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for path, code, text in pool.map(lambda p: check(build, p), paths):
            if code != 0:
                bad += 1
                print(f"{path}:\n{text}")
    print(f"{len(paths)} files, {bad} with faults")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
