#!/usr/bin/env python3
"""Makes the wheel: the plug-in, the Python API and the command with the libraries that it needs (docs/python.md).

    tools/make_wheel.py BINARY PATCHELF OUT_FOLDER

Arrow comes from the installed pyarrow, whose version the wheel asks for; glibc, libstdc++ and libgcc from the machine; every
other library of the binary is copied in. Prints the wheel's path.
"""
import base64
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
MODULES = ("__init__.py", "_binary.py", "_compare.py", "_scratch.py", "_tasks.py", "_transform.py", "errors.py", "feast.py", "shadow.py", "py.typed")
# What every machine of the platform tag has: the list of manylinux, as far as it concerns us.
OF_THE_MACHINE = re.compile(r"(ld-linux.*|lib(c|m|dl|rt|pthread|resolv|gcc_s|stdc\+\+))\.so\.\d+$")
OF_PYARROW = re.compile(r"lib(arrow|parquet)\w*\.so\.(\d\d)(\d\d)$")
GLIBC_OF_LIBSTDCXX = 36  # Debian 12's, beside which the binary was built.
EPOCH = (2020, 1, 1, 0, 0, 0)  # Of every entry, so that equal contents make equal wheels.


def run(*command):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout


def libraries_of(binary):
    """name -> path, of all that the loader would load."""
    found = dict(re.findall(r"^\s*(\S+) => (/\S+)", run("ldd", binary), re.MULTILINE))
    missing = re.findall(r"^\s*(\S+) => not found", run("ldd", binary), re.MULTILINE)
    if missing:
        sys.exit(f"make_wheel: not found by the loader: {', '.join(missing)}")
    return {name: Path(path) for name, path in found.items()}


def glibc_of(files):
    """The minor number of the glibc 2.x that these files ask for."""
    return max(int(minor) for file in files for minor in re.findall(r"GLIBC_2\.(\d+)", run("objdump", "-T", file)))


def licence_of(library):
    """Debian's copyright file of the package that owns it."""
    for path in (library, Path(*library.parts[2:]) if library.parts[1] == "usr" else Path("/usr", *library.parts[1:]), library.resolve()):
        owner = subprocess.run(["dpkg", "-S", f"/{str(path).lstrip('/')}"], capture_output=True, text=True).stdout
        if owner:
            package = owner.split(":")[0]
            return package, Path(f"/usr/share/doc/{package}/copyright")
    sys.exit(f"make_wheel: no package owns {library}, so that its licence is not known")


def fill(folder, binary, patchelf):
    """Lays out the packages in `folder`; returns (pyarrow's version, glibc's minor number, licences)."""
    package = folder / "banquet"
    (package / "bin").mkdir(parents=True)
    (package / "lib").mkdir()
    for module in MODULES:
        shutil.copy(ROOT / "python/banquet" / module, package / module)
    libraries = libraries_of(binary)
    arrow = {OF_PYARROW.match(name)[2] + "." + str(int(OF_PYARROW.match(name)[3])) for name in libraries if OF_PYARROW.match(name)}
    if len(arrow) != 1:
        sys.exit(f"make_wheel: the binary must be linked to the libraries of one pyarrow, not {sorted(arrow)}")
    licences = {}
    for name, path in libraries.items():
        if OF_THE_MACHINE.match(name) or OF_PYARROW.match(name):
            continue
        copy = package / "lib" / name
        shutil.copy(path.resolve(), copy)
        copy.chmod(0o755)
        run(patchelf, "--set-rpath", "$ORIGIN", copy)
        licences.__setitem__(*licence_of(path))
    command = package / "bin/banquet"
    shutil.copy(binary, command)
    run("strip", command)
    # Ours first: libparquet exports an OpenSSL of its own (decision 0012).
    run(patchelf, "--set-rpath", "$ORIGIN/../lib:$ORIGIN/../../pyarrow", command)
    return arrow.pop(), max(glibc_of([command, *(package / "lib").iterdir()]), GLIBC_OF_LIBSTDCXX), licences


def metadata(version, arrow):
    return (f"Metadata-Version: 2.1\nName: banquet\nVersion: {version}\n"
            "Summary: Feast's materialization, fast: a batch engine for Feast and a command\nLicense: Apache-2.0\n"
            f"Requires-Python: >=3.10\nRequires-Dist: pyarrow=={arrow}.*\nProvides-Extra: feast\n"
            "Requires-Dist: feast>=0.67,<0.68; extra == 'feast'\nDescription-Content-Type: text/markdown\n\n"
            + (ROOT / "docs/python.md").read_text())


def record_line(name, data):
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(data)}"


def write(folder, path, records):
    """Zips `folder`; RECORD, in `records`, comes last."""
    lines = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as wheel:
        def add(name, data, mode):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, (0o100000 | mode) << 16
            wheel.writestr(entry, data)
        for file in sorted(p for p in folder.rglob("*") if p.is_file()):
            name, data = str(file.relative_to(folder)), file.read_bytes()
            lines.append(record_line(name, data))
            add(name, data, file.stat().st_mode & 0o777)
        add(records, "\n".join([*lines, f"{records},,", ""]), 0o644)


def main(binary, patchelf, out):
    version = run(binary, "--version").split()[-1]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        arrow, glibc, licences = fill(folder, Path(binary), patchelf)
        tag = f"py3-none-manylinux_2_{glibc}_x86_64"
        info = folder / f"banquet-{version}.dist-info"
        (info / "licenses").mkdir(parents=True)
        shutil.copy(ROOT / "LICENSE", info / "licenses/LICENSE")
        for package, text in licences.items():
            shutil.copy(text, info / "licenses" / f"{package}.txt")
        (info / "METADATA").write_text(metadata(version, arrow))
        (info / "WHEEL").write_text(f"Wheel-Version: 1.0\nGenerator: make_wheel\nRoot-Is-Purelib: false\nTag: {tag}\n")
        (info / "entry_points.txt").write_text("[console_scripts]\nbanquet = banquet._binary:main\n")
        Path(out).mkdir(parents=True, exist_ok=True)
        path = Path(out) / f"banquet-{version}-{tag}.whl"
        write(folder, path, f"{info.name}/RECORD")
    print(path)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
