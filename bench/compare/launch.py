"""Runs one command and prints what it took as JSON: launch.py OUTPUT COMMAND…

A small process of its own, since Linux counts the memory of whoever starts a command as the command's peak.
"""
import json
import os
import subprocess
import sys
import time


def main():
    with open(sys.argv[1], "wb") as output:
        began = time.monotonic()
        process = subprocess.Popen(sys.argv[2:], stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
    print(json.dumps({"status": os.waitstatus_to_exitcode(status), "wall": wall, "cpu": usage.ru_utime + usage.ru_stime,
                      "mib": usage.ru_maxrss / 1024}))


if __name__ == "__main__":
    main()
