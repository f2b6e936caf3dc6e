"""Feast's engine and Banquet side by side, each into a scratch store of its own, compared byte by byte.

    python -m banquet.shadow -c features 2026-01-01 2026-02-01     # a window
    python -m banquet.shadow -c features 2026-02-02                # what came since, per view

shows what would change, before the line in feature_store.yaml does. The real online store and registry are not written.
`banquet materialize --shadow` is the same.
"""
import argparse
import contextlib
import json
import logging
import shutil
import signal
import sys
import tempfile
import time
import warnings
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Set, Tuple

from banquet._binary import find_binary
from banquet.errors import BanquetError, UserError

DIFFERENT = 3  # The exit code where a view is not equal.
_EQUAL, _DIFFERENT, _REFUSED, _FAILED = "EQUAL", "DIFFERENT", "REFUSED", "ERROR"


@dataclass
class ShadowedView:
    """What both engines made of one view."""

    name: str
    status: str
    """EQUAL; DIFFERENT; REFUSED: Banquet does not do this view, Feast was not asked; ERROR: one engine or both failed."""
    start: datetime
    end: datetime
    reason: Optional[str] = None
    """Of a view that was refused."""
    feast_error: Optional[str] = None
    banquet_error: Optional[str] = None
    feast_seconds: Optional[float] = None
    banquet_seconds: Optional[float] = None
    rows: Dict[str, int] = field(default_factory=dict)
    """Banquet's rows of the source by fate."""
    comparison: Optional[Any] = None


@dataclass
class Shadow:
    """A whole run."""

    views: List[ShadowedView]
    not_compared: List[str]
    """On-demand views, which Feast writes without an engine."""
    feast_seconds: float
    """Of all views, one after the other."""
    banquet_seconds: float
    """Of all views together, with the command's start."""
    scratch: Optional[str]

    @property
    def exit_code(self) -> int:
        return 0 if all(view.status == _EQUAL for view in self.views) else DIFFERENT

    @property
    def status(self) -> str:
        return "SUCCEEDED" if self.exit_code == 0 else "DIFFERENT"


def run(repo_path: Path, window, views: Optional[List[str]] = None, *, version: Optional[str] = None, yaml_file: Optional[Path] = None,
        options: Optional[Dict[str, str]] = None, examples_max: int = 3, keep: bool = False, scratch: Optional[Path] = None,
        tell=lambda text: None) -> Shadow:
    """Runs Banquet, then Feast's local engine, and compares.

    `window` is a `_scratch.Window`, `options` those of `banquet:`, `scratch` the folder for the scratch stores (default: that for
    temporary files), which `keep` leaves there. Raises a BanquetError where the run cannot begin.
    """
    try:
        from banquet import _scratch
    except ImportError as error:
        raise UserError(f"A shadow run needs Feast: pip install banquet[feast] ({error})") from None

    real = _scratch.RealRepository(repo_path, yaml_file)
    block = _scratch.ours(real, options or {})
    find_binary(block.get("binary"))
    registry, not_compared = _scratch.without_what_feast_writes_itself(real.registry())
    try:
        folder = Path(tempfile.mkdtemp(prefix="banquet-shadow-", dir=scratch)).absolute()
    except OSError as error:
        raise UserError(f"The scratch folder cannot be made: {error.strerror}: {scratch}") from None
    sys.path.insert(0, str(real.path))  # Functions of views may be imported from there.
    try:
        ours = _scratch.Double(real, registry, folder / "banquet", block)
        theirs = _scratch.Double(real, registry, folder / "feast", _scratch.theirs(real))
        try:
            tasks = _scratch.select_tasks(ours, window, views, version)
        except UserError as error:
            raise UserError(real.secrets.hide(str(error))) from None
        if not tasks:
            raise UserError("There is no feature view to materialize")
        for side in (ours, theirs):
            side.make_tables([task.feature_view for task in tasks])
        try:
            shadowed, banquet_seconds, feast_seconds = _both(tasks, ours, theirs, examples_max, tell)
        except BanquetError as error:
            raise type(error)(real.secrets.hide(str(error)), error.exit_code) from None
        for view in shadowed:
            for name in ("reason", "feast_error", "banquet_error"):
                text = getattr(view, name)
                setattr(view, name, text and " ".join(real.secrets.hide(text).split()))
        return Shadow(shadowed, not_compared, feast_seconds, banquet_seconds, str(folder) if keep else None)
    finally:
        sys.path.remove(str(real.path))
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _both(tasks, ours, theirs, examples_max, tell) -> Tuple[List[ShadowedView], float, float]:
    """Banquet first: what it refuses Feast need not do, and what it leaves in the file system's cache is to Feast's advantage."""
    tell(f"Banquet: {len(tasks)} views")
    began = time.monotonic()
    jobs = ours.engine.materialize(ours.registry, tasks)
    banquet_seconds = time.monotonic() - began
    failure = jobs[0].error()
    if isinstance(failure, BanquetError) and not jobs[0].report and all(job.error() is failure for job in jobs):
        if jobs[0].fallback_reason is None:  # The run never began.
            raise failure
    feast_seconds = 0.0
    shadowed = []
    for place, (task, job) in enumerate(zip(tasks, jobs, strict=True), 1):
        error = job.error()
        view = ShadowedView(task.feature_view.name, _EQUAL, task.start_time, task.end_time,
                            banquet_seconds=job.report.get("seconds"), rows=job.report.get("rows", {}))
        shadowed.append(view)
        if job.fallback_reason is not None:
            view.status, view.reason = _REFUSED, job.fallback_reason
            continue
        if task.feature_view.offline:  # Feast would write to the real offline store.
            view.status, view.reason = _REFUSED, "it writes back to the offline store (offline=True), which a shadow must not"
            continue
        view.banquet_error = error and f"{type(error).__name__}: {error}"
        tell(f"Feast: {view.name} ({place} of {len(tasks)})")
        view.feast_error, view.feast_seconds = _by_feast(task, theirs)
        feast_seconds += view.feast_seconds
        if view.feast_error or view.banquet_error:
            view.status = _FAILED
            continue
        view.comparison = _compared(task, ours, theirs, examples_max)
        view.status = _EQUAL if view.comparison.is_equal else _DIFFERENT
    return shadowed, banquet_seconds, feast_seconds


def _by_feast(task, theirs) -> Tuple[Optional[str], float]:
    from feast.infra.common.materialization_job import MaterializationJobStatus

    began = time.monotonic()
    try:
        job = theirs.engine.materialize(theirs.registry, task)[0]
        error = (job.error() or "no reason given") if job.status() == MaterializationJobStatus.ERROR else None
    except Exception as raised:  # Of sources and transformations of any make.
        error = raised
    text = f"{type(error).__name__}: {error}" if isinstance(error, BaseException) else error
    return text, time.monotonic() - began


def _compared(task, ours, theirs, examples_max):
    from banquet._compare import compare

    table = ours.table_of(task.feature_view)
    return compare(theirs.online_db, ours.online_db, table, examples_max, lambda: _tied_values(task, theirs))


def _tied_values(task, theirs) -> Optional[Dict[Tuple[bytes, str], Set[bytes]]]:
    """The values of the source's rows that tie for an entity's newest, as Feast encodes them; None where that cannot be told."""
    from banquet._transform import rows_of_window
    from feast.infra.key_encoding_utils import serialize_entity_key
    from feast.utils import _convert_arrow_to_proto

    try:
        table, columns = rows_of_window(theirs.registry, task, theirs.engine.get_execution_context(theirs.registry, task))
        tied = _tied_rows(table, columns)
        if tied.num_rows == 0:
            return {}
        keys = {column.name: column.dtype.to_value_type() for column in task.feature_view.entity_columns}
        values: Dict[Tuple[bytes, str], Set[bytes]] = {}
        for key, features, _, _ in _convert_arrow_to_proto(tied.combine_chunks(), task.feature_view, keys):
            for name, value in features.items():
                values.setdefault((serialize_entity_key(key, 3), name), set()).add(value.SerializeToString())
        return values
    except Exception as error:  # The rows then are differences without a name.
        logging.getLogger("banquet").debug("%s: ties cannot be told: %s", task.feature_view.name, error)
        return None


def _tied_rows(table, columns):
    """Those of entities of which two rows or more share the greatest event time and, among these, the greatest created time."""
    keys = columns.join_keys_columns
    created = columns.created_timestamp_column
    times = [columns.timestamp_column] + ([created] if created in table.column_names else [])
    frame = table.select([*keys, *times]).to_pandas()
    frame["__row"] = range(len(frame))
    groups = keys or ["__all"]
    if not keys:
        frame["__all"] = 0
    for name in times:
        newest = frame.groupby(groups)[name].transform("max")
        frame = frame[(frame[name] == newest) | newest.isna()]
    sizes = frame.groupby(groups)["__row"].transform("size")
    return table.take(frame[sizes > 1]["__row"].to_numpy())


def _as_json(shadow: Shadow) -> Dict[str, Any]:
    views = []
    for view in shadow.views:
        counts = asdict(view.comparison) if view.comparison else {}
        counts["compared"] = counts.pop("rows", 0) + counts.get("extra", 0)
        if view.comparison:
            counts["unexplained"] = view.comparison.unexplained
        views.append({"name": view.name, "status": view.status, "reason": view.reason, "feast_error": view.feast_error,
                      "banquet_error": view.banquet_error, "window": {"start": _text(view.start), "end": _text(view.end)},
                      "feast_seconds": view.feast_seconds, "banquet_seconds": view.banquet_seconds, "rows": view.rows, **counts})
    return {"status": shadow.status, "error": None, "feast_seconds": shadow.feast_seconds, "banquet_seconds": shadow.banquet_seconds,
            "views": views, "not_compared": shadow.not_compared, "scratch": shadow.scratch}


_HEAD = ("VIEW", "RESULT", "ROWS", "EQUAL", "DIFFERING", "MISSING", "EXTRA", "FEAST", "BANQUET")


def _as_text(shadow: Shadow) -> str:
    table: List[Sequence[str]] = [_HEAD]
    lines: List[str] = []
    for view in shadow.views:
        found = view.comparison
        counts = [f"{count:,}" for count in (found.rows, found.equal, found.differing, found.missing, found.extra)] if found else [""] * 5
        table.append((view.name, view.status, *counts, _seconds(view.feast_seconds), _seconds(view.banquet_seconds)))
        lines += _remarks(view)
    widths = [max(len(row[column]) for row in table) for column in range(len(_HEAD))]
    text = "\n".join("  ".join(cell.ljust(width) if column < 2 else cell.rjust(width)
                               for column, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in table)
    lines += [f"{name}: not compared: Feast writes on-demand views without an engine" for name in shadow.not_compared]
    if shadow.scratch:
        lines.append(f"The scratch stores are kept in {shadow.scratch}")
    lines.append(f"{shadow.status}. Feast {_seconds(shadow.feast_seconds)}, Banquet {_seconds(shadow.banquet_seconds)}.")
    return text + "\n" + "\n".join(lines) + "\n"


def _remarks(view: ShadowedView) -> List[str]:
    lines = [f"{view.name}: {what}" for what, text in (
        (f"Banquet does not do it: {view.reason}", view.reason),
        (f"Feast failed: {view.feast_error}", view.feast_error),
        (f"Banquet failed: {view.banquet_error}", view.banquet_error)) if text]
    found = view.comparison
    if found is None:
        return lines
    if found.rows == found.extra == 0:
        lines.append(f"{view.name}: no row in the window, so that nothing was compared")
    if found.other_order:
        lines.append(f"{view.name}: {found.other_order:,} equal but for the order of entries, which Feast leaves open")
    lines += [f"{view.name}: {count:,} known: {known}" for known, count in found.known.items()]
    if found.unexplained and found.known:
        lines.append(f"{view.name}: {found.unexplained:,} not known")
    for example in found.examples:
        lines.append(f"{view.name}: {example.kind} {example.entity} {example.feature}"
                     + (f" ({', '.join(example.columns)})" if example.columns else "")
                     + (f", known: {example.known.partition(':')[0]}" if example.known else ""))
        for name, side in (("Feast", example.feast), ("Banquet", example.banquet)):
            if side is not None:
                lines.append(f"    {name:8}{side.value}  [{side.value_hex}]  event {side.event}, created {side.created}")
    return lines


def _seconds(seconds: Optional[float]) -> str:
    return "" if seconds is None else f"{seconds:.2f} s"


def _text(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise UserError(f"This is no time in ISO 8601: {text}") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        raise UserError(f"{message}; python -m banquet.shadow --help")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="banquet.shadow", formatter_class=argparse.RawDescriptionHelpFormatter, description=__doc__,
                     epilog="Exit code 0: all views are equal; 3: not all; 2 and 4: the run could not begin.")
    parser.add_argument("times", nargs="*", metavar="TIME", help="START END of a window, both inside, or END alone: each view begins "
                        "where it stopped; without zone UTC")
    parser.add_argument("-c", "--chdir", default=".", metavar="DIR", help="folder of the feature repository")
    parser.add_argument("-f", "--feature-store-yaml", metavar="FILE", help="path of feature_store.yaml")
    parser.add_argument("-v", "--views", action="append", metavar="VIEW", help="feature view (repeatable; default: all)")
    parser.add_argument("--version", help="version of the view (vN); needs exactly one --views")
    parser.add_argument("--disable-event-timestamp", action="store_true", help="from 1970 until this moment, instead of times")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="option of banquet: (repeatable)")
    parser.add_argument("--examples", type=int, default=3, metavar="N", help="shown of each kind of difference [3]")
    parser.add_argument("--scratch", metavar="DIR", help="where the scratch stores are made; default: the folder for temporary files")
    parser.add_argument("--keep", action="store_true", help="leave the scratch stores there")
    parser.add_argument("--json", action="store_true", help="one line of JSON on standard output")
    parser.add_argument("-q", "--quiet", action="store_true", help="say nothing but the report")
    return parser


def _shadow_of(words: argparse.Namespace) -> Shadow:
    from banquet._scratch import Window

    times = [_moment(text) for text in words.times]
    if words.disable_event_timestamp == bool(times) or len(times) > 2:
        raise UserError("Give START and END, END alone, or --disable-event-timestamp")
    options = {}
    for pair in words.set:
        name, equals, value = pair.partition("=")
        if not equals:
            raise UserError(f"--set wants NAME=VALUE: {pair}")
        options[name] = value

    def tell(text: str) -> None:
        if not words.quiet:
            print(text, file=sys.stderr, flush=True)
    window = Window(None if len(times) < 2 else times[0], times[-1] if times else None)
    return run(Path(words.chdir), window, words.views, version=words.version, options=options, examples_max=max(0, words.examples),
               yaml_file=Path(words.feature_store_yaml) if words.feature_store_yaml else None, keep=words.keep,
               scratch=Path(words.scratch) if words.scratch else None, tell=tell)


def _stop(number, frame) -> None:
    raise SystemExit(128 + number)


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """The command; returns its exit code. What Feast prints goes to standard error."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    wants_json = "--json" in given
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        words = _parser().parse_args(given)
        with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            shadow = _shadow_of(words)
    except BanquetError as error:
        text = " ".join(str(error).split())
        print(f"banquet: {text}", file=sys.stderr)
        if wants_json:
            print(json.dumps({"status": "ERROR", "error": text}, ensure_ascii=False))
        return error.exit_code
    print(json.dumps(_as_json(shadow), ensure_ascii=False) if words.json else _as_text(shadow), end="\n" if words.json else "")
    return shadow.exit_code


if __name__ == "__main__":
    sys.exit(main())
