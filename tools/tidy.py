#!/usr/bin/env python3
"""Style that matters as a test: names what is wrong and how to mend it. Run from the root without arguments; ctest does."""
import pathlib
import re
import subprocess
import sys

SOURCE_LINES_MAX = 500
TEST_LINES_MAX = 800
LINE_WIDTH_MAX = 120
LAST_WORDS_BANNED = ("Manager", "Handler", "Utils", "Util", "Helper", "Common", "Base", "Impl", "Info", "Data")
HISTORY = re.compile(r"//.*\b(TODO|FIXME|XXX|HACK|no longer|used to be|changed to|previously)\b", re.IGNORECASE)
MACHINE_PATHS = re.compile(r"(?<![\w.])/(work|farm|root|home)/\w")
REGISTRY_HOSTS = re.compile(r"\b(pypi\.org|files\.pythonhosted|registry\.npmjs|repo\.maven|crates\.io|proxy\.golang|deb\.debian)")


def tracked(*patterns):
    out = subprocess.run(["git", "ls-files", "-z", *patterns], capture_output=True, check=True).stdout
    return [pathlib.Path(p) for p in out.decode().split("\0") if p and pathlib.Path(p).is_file()]


def check_source(path, lines):
    is_test = path.name.endswith("_test.cc") or path.parts[0] == "tests" or "contract" in path.parts
    limit = TEST_LINES_MAX if is_test else SOURCE_LINES_MAX
    if len(lines) > limit:
        yield len(lines), f"{len(lines)} lines, {limit} allowed; split the file by what it does"
    if path.suffix == ".h" and "#pragma once" not in lines[:3]:
        yield 1, "a header begins with #pragma once"
    if path.suffix in (".h", ".cc") and not any(line.startswith("//") for line in lines[:14]) and path.suffix == ".h":
        yield 1, "say in one to three lines at the top what lives here and why"
    seen_from = path.relative_to("src") if path.parts[0] == "src" else path
    own = f'#include "{seen_from}"'.replace(".cc", ".h")
    if path.suffix == ".cc" and path.with_suffix(".h").exists():
        first = next((line for line in lines if line.startswith("#include")), "")
        if first != own:
            yield 1, f"a .cc includes its own header first: {own}"
    for number, line in enumerate(lines, 1):
        if len(line) > LINE_WIDTH_MAX:
            yield number, f"{len(line)} columns, {LINE_WIDTH_MAX} allowed; run make format"
        if "\t" in line:
            yield number, "a tab; indent with spaces"
        if HISTORY.search(line):
            yield number, "comments say what is, not what was or will be; put it into an issue or the change log"
        named = re.match(r"\s*(?:class|struct|enum class)\s+(\w+)(?:\s+final)?\s*[:{]", line)
        if named and named[1].endswith(LAST_WORDS_BANNED) and named[1] not in LAST_WORDS_BANNED:
            yield number, f"{named[1]}: name it by its role; the last word says nothing"
        if re.search(r"\busing namespace\b", line):
            yield number, "name things in full, or with a using-declaration"
        if re.search(r"\b(DISABLED_\w+|GTEST_SKIP)\b", line):
            yield number, "a test runs or is deleted; a missing server fails"


def check_any(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        if MACHINE_PATHS.search(line):
            yield number, "a path of one machine; make it relative to the project"
        if REGISTRY_HOSTS.search(line):
            yield number, "a registry's host name; packages are named, not where they come from"
        if path.suffix in (".py", ".cc", ".h", ".md", ".txt") and line.rstrip("\r\n") != line.rstrip():
            if path.suffix != ".md":
                yield number, "white space at the end of the line"


def main():
    if not pathlib.Path("src/banquet").is_dir():
        print("run from the root of the project: src/banquet is not here")
        return 2
    bad = files = 0
    for path in tracked():
        if path.parts[0] in ("build",) or path.name in ("tidy.py",) or "golden" in path.parts or "testdata" in path.parts:
            continue
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        files += 1
        faults = list(check_any(path, text))
        if path.suffix in (".cc", ".h") and path.parts[0] in ("src", "tests", "fuzz", "bench"):
            faults += check_source(path, text.splitlines())
        for number, fault in faults:
            print(f"{path}:{number}: {fault}")
            bad += 1
    sources = [str(p) for p in tracked("*.cc", "*.h")]
    formatted = subprocess.run(["clang-format", "--dry-run", "--Werror", *sources], capture_output=True, text=True)
    for line in formatted.stderr.splitlines():
        if "error:" in line:
            print(f"{line.split(' error:')[0]} not formatted; run make format")
            bad += 1
    print(f"{files} files, {bad} faults")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
