#!/usr/bin/env python3
"""Fails when a file includes what its folder may not see. Run from the root without arguments; ctest does."""
import pathlib
import re
import sys

# Folder -> folders it may include; base/ always. The table of ARCHITECTURE.md.
MAY_SEE = {
    "base": set(),
    "model": set(),
    "client": set(),
    "config": {"model"},
    "registry": {"model", "client"},
    "sql": {"model"},
    "offline": {"model", "client", "sql"},
    "staging": {"model", "client"},
    "encode": {"model"},
    "online": {"model", "encode", "client"},
    "plan": {"model"},
    "exec": {"model", "plan", "client", "offline", "encode", "online"},
    "engine": {"model", "config", "plan", "sql", "client", "exec", "registry", "offline", "online", "encode", "staging"},
    "builtin": {"model", "config", "registry", "plan", "exec", "offline", "encode", "online", "engine", "client", "staging"},
    "cli": {"model", "client", "config", "registry", "plan", "exec", "offline", "encode", "online", "engine", "builtin"},
}
# Header prefix -> the only folders where it may appear.
ONLY_IN = {
    "sqlite3.h": ("client/sqlite",),
    "libpq-fe.h": ("client/postgres",),
    "mysql.h": ("client/mysql",),
    "curl/": ("client/http",),
    "hiredis/": ("online/redis",),
    "yaml-cpp/": ("config",),
    "arrow/filesystem/": ("client/objects",),
    "arrow/dataset/": ("offline",),
    "arrow-adbc/": ("offline",),
    "parquet/": ("offline", "staging"),
    "google/protobuf/": ("registry", "encode"),
    "feast/": ("registry", "encode"),
    "CLI/": ("cli",),
    "spdlog/": ("base",),
}
# Standard headers that mean threads.
THREADS = {"thread", "future"}
THREAD_HOMES = ("exec", "engine")
# getaddrinfo cannot be interrupted: a thread waits for it, so that the run need not.
THREAD_FILES = ("online/redis/name_lookup.cc",)
# Folders whose subfolders are products: nobody but themselves and builtin/ may name one.
SEAMS = {"online", "offline", "registry"}
SHARED_SUBFOLDERS = {"contract"}
PRODUCT_HOMES = ("builtin",)

INCLUDE = re.compile(r'\s*#\s*include\s+([<"])([^>"]+)[>"]')


def check_file(path, here):
    """Yields (line number, fault and mend) of one source file; `here` is relative to src/banquet."""
    folder = here.parts[0]
    is_test = here.name.endswith("_test.cc") or here.name in ("testing.h", "test_main.cc", "scripted_server.h", "temporary_directory.h") or "contract" in here.parts
    for number, line in enumerate(path.read_text().splitlines(), 1):
        found = INCLUDE.match(line)
        if not found:
            continue
        header = found[2]
        if header == "arrow/api.h" and path.suffix == ".h":
            yield number, "arrow/api.h is banned in headers; include arrow/type_fwd.h here and narrow headers in the .cc"
        for prefix, homes in ONLY_IN.items():
            if header.startswith(prefix) and not str(here).startswith(homes):
                if is_test and prefix == "parquet/":
                    continue
                yield number, f"{header} may be included only in {', '.join(homes)}; ask that folder for what you need"
        if header in THREADS and folder not in THREAD_HOMES and str(here) not in THREAD_FILES and not is_test:
            yield number, f"<{header}> belongs to {' and '.join(THREAD_HOMES)}; take a stop_token or a Clock instead"
        own = re.match(r"banquet/([^/]+)/(?:([^/]+)/)?", header)
        if not own:
            continue
        other, sub = own[1], own[2]
        if other != folder and other != "base" and other not in MAY_SEE.get(folder, set()):
            if is_test and folder in ("exec", "sql"):
                continue
            yield number, f"{folder}/ may not see {other}/; move the shared type down to model/ or pass it in from above"
        if other in SEAMS and sub and sub not in SHARED_SUBFOLDERS and here.parts[:2] != (other, sub):
            if folder not in PRODUCT_HOMES and not is_test:
                yield number, f"only {other}/{sub}/ and builtin/ may name {other}/{sub}/; use the interface in {other}/"


def main():
    root = pathlib.Path("src/banquet")
    if not root.is_dir():
        print("run from the root of the project: src/banquet is not here")
        return 2
    bad = files = 0
    for path in sorted(root.rglob("*")):
        if path.suffix not in (".h", ".cc"):
            continue
        files += 1
        here = path.relative_to(root)
        if here.parts[0] not in MAY_SEE and len(here.parts) > 1:
            print(f"{path}: unknown folder {here.parts[0]}/; add it to ARCHITECTURE.md and to this table")
            bad += 1
            continue
        for number, fault in check_file(path, here):
            print(f"{path}:{number}: {fault}")
            bad += 1
    print(f"{files} files, {bad} layer faults")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
