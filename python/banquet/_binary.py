"""Where the command is: named, in the wheel, or on the PATH."""
import os
import shutil
import sys
from pathlib import Path
from typing import Dict, Optional

from banquet.errors import UserError

_IN_WHEEL = Path(__file__).parent / "bin" / "banquet"


def find_binary(named: Optional[str] = None) -> str:
    """Path of the command: `named`, else $BANQUET_BINARY, else that of the wheel, else `banquet` on the PATH.

    Raises UserError where there is none, or where the one that was named cannot be run.
    """
    for path, origin in ((named, "batch_engine.binary"), (os.environ.get("BANQUET_BINARY"), "BANQUET_BINARY")):
        if not path:
            continue
        if not os.access(path, os.X_OK):
            raise UserError(f"{origin} names no program that can be run: {path}")
        return path
    if os.access(_IN_WHEEL, os.X_OK):
        return str(_IN_WHEEL)
    found = shutil.which("banquet")
    if found is None:
        raise UserError("The command banquet is not found; install the wheel for this platform, put the command on the PATH, "
                        "or name it by BANQUET_BINARY")
    return found


def process_environment(binary: str) -> Dict[str, str]:
    """This process's environment, for the command; the wheel's own finds Arrow beside the installed pyarrow."""
    environment = dict(os.environ)
    if Path(binary) == _IN_WHEEL:
        folder = _arrow_folder()
        if folder:
            environment["LD_LIBRARY_PATH"] = ":".join(filter(None, (folder, environment.get("LD_LIBRARY_PATH"))))
    return environment


def _arrow_folder() -> Optional[str]:
    """Of pyarrow, where it does not lie beside this package (the binary finds it there by itself)."""
    import importlib.util

    if (Path(__file__).parent.parent / "pyarrow").is_dir():
        return None
    found = importlib.util.find_spec("pyarrow")
    return str(Path(found.origin).parent) if found and found.origin else None


def main() -> None:
    """The command as the wheel installs it on the PATH: becomes the binary."""
    if not os.access(_IN_WHEEL, os.X_OK):
        raise SystemExit("banquet: the wheel's command is missing; install the wheel again")
    environment = {"BANQUET_PYTHON": sys.executable, **process_environment(str(_IN_WHEEL))}  # For --shadow.
    os.execve(_IN_WHEEL, ["banquet", *sys.argv[1:]], environment)
