"""Views with a function in Python: called in Feast's process, written by Banquet, as Feast's own engine would leave them."""
import tempfile
from pathlib import Path

from compare import assert_same, table_cells
from feast_protos import value
from outcomes import assert_adds_up, rewrite
from plugged import by_banquet, plug
from repository import copy_repository
from stores import dump_sqlite
from test_errors import JAN, applied, recorded, repository, rows_of  # noqa: F401


def cells(repository):  # noqa: F811
    return table_cells(dump_sqlite(repository), "golden_inc")


def test_rows_are_as_feasts_own_engine_leaves_them(repository, feast, tmp_path):  # noqa: F811
    theirs = copy_repository(repository.path, tmp_path / "theirs")
    assert feast.jobs_of(theirs, *JAN, views=["inc_doubled"])["raised"] is None
    jobs = by_banquet(feast.jobs_of(plug(repository), *JAN, views=["inc_doubled", "inc_plain"]), "inc_doubled", "inc_plain")
    ours = {name: cell for name, cell in cells(repository).items() if name[0] == "inc_doubled"}
    assert_same(cells(theirs), ours, "inc_doubled")
    assert_adds_up({"views": [jobs["inc_doubled"]["report"]]})
    assert rows_of(repository, "inc_doubled") == jobs["inc_doubled"]["report"]["rows"]["winners"] > 0


def test_the_function_was_called(repository, feast):  # noqa: F811
    by_banquet(feast.jobs_of(plug(repository), *JAN, views=["inc_doubled", "inc_plain"]))
    x = {view: {key: value(bytes.fromhex(cell)).double_val for (its, key, feature, column), cell in cells(repository).items()
                if (its, feature, column) == (view, "x", "value")} for view in ("inc_plain", "inc_doubled")}
    assert x["inc_doubled"] == {key: 2 * plain for key, plain in x["inc_plain"].items()} != {}


def test_older_rows_never_replace_newer_ones(repository, feast):  # noqa: F811
    by_banquet(feast.jobs_of(plug(repository), *JAN, views=["inc_doubled"]))
    newest = cells(repository)
    jobs = by_banquet(feast.jobs_of(repository, "2024-01-01T00:00:00", "2024-01-10T00:00:00", views=["inc_doubled"]))
    assert jobs["inc_doubled"]["report"]["stores"][0]["stale"] > 0
    assert cells(repository) == newest


def test_a_function_that_raises_is_its_views_error(repository, feast):  # noqa: F811
    result = feast.jobs_of(plug(repository), *JAN, views=["inc_failing", "inc_plain", "inc_doubled"])
    assert result["raised"] == "RuntimeError: the user's own"
    assert {name: job["status"] for name, job in result["jobs"].items()} == {
        "inc_failing": "ERROR", "inc_plain": "SUCCEEDED", "inc_doubled": "SUCCEEDED"}
    assert (recorded(repository)["inc_failing"], recorded(repository)["inc_doubled"]) == (0, 1)


def test_a_row_that_cannot_be_encoded_is_an_error_of_banquets(repository, feast):  # noqa: F811
    rewrite(repository, lambda table: table.set_column(
        table.column_names.index("x"), "x", table["tag"]))
    result = feast.jobs_of(plug(repository), *JAN, views=["inc_doubled"])
    job = result["jobs"]["inc_doubled"]
    assert job["exit_code"] == 3 and job["error"].startswith("DataError: inc_doubled: "), job
    assert recorded(repository)["inc_doubled"] == 0


def test_no_rows_are_left_behind(repository, feast, tmp_path):  # noqa: F811
    spill = tmp_path / "spill"
    spill.mkdir()
    before = set(Path(tempfile.gettempdir()).glob("banquet-*"))
    result = feast.jobs_of(plug(repository, spill_directory=spill), *JAN, views=["inc_doubled", "inc_failing"])
    assert result["jobs"]["inc_doubled"]["status"] == "SUCCEEDED"
    assert list(spill.iterdir()) == [] and set(Path(tempfile.gettempdir()).glob("banquet-*")) == before
