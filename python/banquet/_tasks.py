"""The other end of `banquet run-tasks` (docs/formats/run_tasks.md): one frame in, lines of JSON out."""
import json
import logging
import struct
import subprocess
import threading
from collections import deque
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Optional

from banquet._binary import process_environment
from banquet.errors import BanquetError, RemoteError, error_of

_FORMAT = 1
_TOLD_LINES_MAX = 50  # Of standard error, kept for the message of a process that died.
_STOP_S = 30.0  # Longest wait for a process that was told to stop.

log = logging.getLogger("banquet")


@dataclass
class TasksResult:
    """What became of the tasks of one frame."""

    refused: List[Optional[str]]  # Beside the tasks: why this one was not run; None: it was.
    if_transformed: List[bool]  # Beside the tasks: refused, but only since Banquet does not call its function.
    report: Dict[str, Any]  # As of `materialize --json`; its views are the tasks that were run, in order.
    exit_code: int

    def error(self) -> Optional[BanquetError]:
        """That of a run that never began; None where the views speak for themselves."""
        if self.exit_code == 0 or self.report.get("views"):
            return None
        return error_of(self.report.get("error") or "Banquet failed", self.exit_code)


def run_tasks(binary: str, frame: Dict[str, Any], on_progress: Callable[[List[Dict[str, Any]]], None]) -> TasksResult:
    """Runs the tasks of `frame` (without its format) and waits for them.

    `on_progress` is called a few times a second with the state of each task that was not refused, in order. The process is
    killed by the kernel when the calling thread ends; an exception here (KeyboardInterrupt among them) stops it.
    Raises RemoteError where the process cannot be started or ends without a report.
    """
    data = json.dumps({"banquet_tasks": _FORMAT, **frame}, ensure_ascii=False).encode()
    try:
        process = subprocess.Popen([binary, "run-tasks"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=process_environment(binary))
    except OSError as error:
        raise RemoteError(f"{binary} cannot be started: {error.strerror}") from error
    told: deque = deque(maxlen=_TOLD_LINES_MAX)
    listener = threading.Thread(target=_listen, args=(process.stderr, told), daemon=True)
    listener.start()
    try:
        _send(process, struct.pack("<I", len(data)) + data)
        plan, report = _follow(process, on_progress)
        exit_code = process.wait()
    except BaseException:
        _stop(process)
        raise
    finally:
        listener.join(_STOP_S)
        process.stdout.close()
    if report is None:
        how = f"signal {-exit_code}" if exit_code < 0 else f"exit code {exit_code}"
        last = f": {told[-1]}" if told else ""
        raise RemoteError(f"Banquet ended without a report ({how}){last}")
    return TasksResult([task["refused"] for task in plan], [task["if_transformed"] for task in plan], report, exit_code)


def _send(process: subprocess.Popen, data: bytes) -> None:
    try:
        with process.stdin:
            process.stdin.write(data)
    except BrokenPipeError:
        pass  # It says itself why.


def _follow(process, on_progress):
    """Reads events until the end of output: (what is said of each task, report or None)."""
    plan: List[Dict[str, Any]] = []
    report = None
    for line in process.stdout:
        event = json.loads(line)
        kind = event.get("event")
        if kind == "plan":
            plan = event["tasks"]
        elif kind == "progress":
            on_progress(event["views"])
        elif kind is None:
            report = event
    return plan, report


def _listen(stream, told: deque) -> None:
    """Warnings of the command become warnings here; errors come with the report."""
    with stream:
        for line in stream:
            text = line.decode(errors="replace").rstrip("\n")
            told.append(text)
            if text.startswith("banquet: warning: "):
                log.warning("%s", text.removeprefix("banquet: warning: "))
            else:
                log.debug("%s", text)


def _stop(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
