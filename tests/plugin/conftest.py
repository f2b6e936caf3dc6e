"""Lets the tests of this folder import its modules, and those of the suites whose cases they run through the plug-in."""
import sys
from pathlib import Path

for folder in ("interop", "golden", "plugin"):
    sys.path.insert(0, str(Path(__file__).parents[1] / folder))
