"""Banquet: Feast's materialization, fast.

    banquet.materialize("features", start, end)          # a window, both ends inside
    banquet.materialize_incremental("features", end)     # what came since, per view

run the command `banquet` in a feature repository, which needs no Feast; it records the intervals as Feast does.
As Feast's own batch engine: `batch_engine: {type: banquet.feast.BanquetEngine}` (banquet.feast).
"""
import json
import os
import subprocess
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Dict, List, Optional, Sequence, Union

from banquet._binary import find_binary, process_environment
from banquet.errors import (BanquetError, BugError, CancelledError, DataError, HeldError, RemoteError, UnsupportedError,
                            UserError, error_of)

__all__ = ["materialize", "materialize_incremental", "plan", "Job", "PlannedView", "BanquetError", "BugError",
           "CancelledError", "DataError", "HeldError", "RemoteError", "UnsupportedError", "UserError"]

RepoPath = Union[str, "os.PathLike[str]"]
Option = Union[str, int, float, bool]


@dataclass(frozen=True)
class Job:
    """What became of one view of a run."""

    job_id: str
    view: str
    status: str
    """SUCCEEDED, ERROR, CANCELLED or SKIPPED (by `unsupported`)."""
    error: Optional[BanquetError]
    """None unless the status is ERROR or CANCELLED."""
    start: datetime
    """Of the window, inclusive, UTC."""
    end: datetime
    """Of the window, inclusive, UTC."""
    seconds: float
    rows: Dict[str, int]
    """Rows by fate: read = outside_window + null_key + null_time + duplicates + quarantined + winners."""
    stores: List[Dict[str, Any]]
    """Of each online store: name, type, status, error, bytes, and winners = written + stale + unchanged + undecided."""
    url: Optional[str]

    def should_be_retried(self) -> bool:
        """Whether the same run again may help: a server or another run was the reason. It does no harm in any case."""
        return isinstance(self.error, (RemoteError, HeldError))


@dataclass(frozen=True)
class PlannedView:
    """What a run would do with one view."""

    view: str
    start: datetime
    end: datetime
    error: Optional[str]
    """Why it would not run; the following are empty then."""
    steps: List[str]
    files: List[Dict[str, Any]]
    """Of each file: path, rows, row_groups, row_groups_pruned."""
    rows: int
    """Of the source."""
    rows_pruned: int
    """Of those, rows that will not be read."""


def materialize(repo_path: RepoPath, start: datetime, end: datetime, views: Optional[Sequence[str]] = None, *,
                version: Optional[str] = None, check: bool = True, **options: Option) -> List[Job]:
    """Writes the newest row of each entity in the window to the online stores and records the interval.

    Args:
        repo_path: Folder of the feature repository, which holds feature_store.yaml.
        start, end: The window, both ends inside; a time without zone is UTC.
        views: Names; None: all views. An empty sequence is a UserError.
        version: Of exactly one view, such as "v2".
        check: Whether a view that failed raises; else look at each job's `error`.
        options: Those of `banquet:`, which win over the file: memory_limit="2GiB", threads=4, lock_wait=60 (seconds).
            `binary` names the command.

    Returns one job for each view. Raises the worst view's BanquetError (`check`), or that of a run that never began.
    """
    arguments = ["materialize", _text(start), _text(end), *_of_views(views, version)]
    return _jobs(_run(repo_path, arguments, options), check)


def materialize_incremental(repo_path: RepoPath, end: datetime, views: Optional[Sequence[str]] = None, *,
                            version: Optional[str] = None, check: bool = True, **options: Option) -> List[Job]:
    """As `materialize`; each view begins where its recorded intervals end, else `ttl` or 52 weeks before this moment."""
    arguments = ["materialize-incremental", _text(end), *_of_views(views, version)]
    return _jobs(_run(repo_path, arguments, options), check)


def plan(repo_path: RepoPath, start: datetime, end: datetime, views: Optional[Sequence[str]] = None, *,
         version: Optional[str] = None, **options: Option) -> List[PlannedView]:
    """What `materialize` would read and do; writes nothing and contacts no online store.

    Raises the BanquetError of a command that cannot plan at all; a view that would not run says so in its `error`.
    """
    answer = _run(repo_path, ["plan", _text(start), _text(end), *_of_views(views, version)], options)
    if "views" not in answer.report:
        raise answer.error()
    return [PlannedView(view["name"], _time(view["window"]["start"]), _time(view["window"]["end"]), view["error"],
                        view.get("plan", []), view.get("files", []), view.get("rows", 0), view.get("rows_pruned", 0))
            for view in answer.report["views"]]


@dataclass(frozen=True)
class _Answer:
    report: Dict[str, Any]
    exit_code: int

    def error(self) -> BanquetError:
        return error_of(self.report.get("error") or f"Banquet failed (exit code {self.exit_code})", self.exit_code)


def _run(repo_path: RepoPath, arguments: List[str], options: Dict[str, Option]) -> _Answer:
    given = dict(options)
    binary = find_binary(given.pop("binary", None))
    command = [binary, "-c", os.fspath(repo_path), "--json", "--progress", "none", *arguments, *_of_options(given)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=process_environment(binary))
    try:
        return _Answer(json.loads(done.stdout), done.returncode)
    except ValueError:
        last = done.stderr.strip().rpartition("\n")[2]
        raise RemoteError(f"Banquet ended without a report (exit code {done.returncode}): {last}") from None


def _jobs(answer: _Answer, check: bool) -> List[Job]:
    views = answer.report.get("views", [])
    if answer.exit_code != 0 and (check or not views):
        raise answer.error()
    return [_job(answer.report["job_id"], view) for view in views]


def _job(run_id: str, view: Dict[str, Any]) -> Job:
    error = error_of(f"{view['name']}: {view['error']}", view["exit_code"]) if view["exit_code"] else None
    return Job(f"{run_id}-{view['name']}", view["name"], view["status"], error, _time(view["window"]["start"]),
               _time(view["window"]["end"]), view["seconds"], view["rows"], view["stores"], view["url"])


def _of_views(views: Optional[Sequence[str]], version: Optional[str]) -> List[str]:
    if isinstance(views, str) or (views is not None and not views):
        raise UserError("views: give a list of names, or None for all views")
    words = [word for name in views or () for word in ("--views", name)]
    return words + (["--version", version] if version else [])


def _of_options(options: Dict[str, Option]) -> List[str]:
    def text(value: Option) -> str:
        return str(value).lower() if isinstance(value, bool) else str(value)
    return [f"--{name.replace('_', '-')}={text(value)}" for name, value in options.items()]


def _text(time: datetime) -> str:
    return (time if time.tzinfo else time.replace(tzinfo=timezone.utc)).astimezone(timezone.utc).isoformat()


def _time(text: str) -> datetime:
    """The command's RFC 3339; Python before 3.11 knows no Z."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
