"""Views with a transformation in Python: Feast reads the source and calls the function here, Banquet writes what comes out.

The function is the user's own code, out of the registry's pickle; the choice of this engine is the permission to run it, as with
Feast's own. The rows lie in a private folder in between, as Parquet.
"""
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from feast import FileSource
from feast.infra.common.materialization_job import MaterializationTask
from feast.infra.compute_engines.backends.factory import BackendFactory
from feast.infra.compute_engines.local.feature_builder import LocalFeatureBuilder
from feast.infra.registry.base_registry import BaseRegistry


class _UntilTransformed(LocalFeatureBuilder):
    """Feast's local plan without its last steps: which row is newest, and writing, are Banquet's."""

    def build_dedup_node(self, view, input_node):
        return input_node

    def build_output_nodes(self, view, input_node):
        return input_node


def rows_of_window(registry: BaseRegistry, task: MaterializationTask, context, backend=None):
    """The rows that a task's newest are chosen from, as Feast reads, renames and transforms them, and its names of their columns."""
    builder = _UntilTransformed(registry, task, backend or BackendFactory.from_name("pandas"))
    table: pa.Table = builder.build().execute(context).data
    return table, builder.get_column_info(task.feature_view)


class TransformedView:
    """The rows of a task's view after its function, in `folder`, and the view as if they were its source."""

    def __init__(self, registry: BaseRegistry, task: MaterializationTask, context, backend, folder: Path):
        """Reads and transforms; `context` and `backend` are those of Feast's local engine. Raises what the function raises."""
        table, columns = rows_of_window(registry, task, context, backend)
        self._path = folder / "transformed.parquet"
        self._time = columns.timestamp_column
        created = columns.created_timestamp_column
        self._created = created if created in table.column_names else ""
        self._view = task.feature_view
        self.within_window = _within(table, self._time, task)
        pq.write_table(table, self._path)

    def proto(self) -> Any:
        """The view's protobuf: without the function, with the rows as its batch source."""
        proto = self._view.to_proto()
        for name in ("feature_transformation", "user_defined_function", "mode"):
            if name in proto.spec.DESCRIPTOR.fields_by_name:
                proto.spec.ClearField(name)
        source = FileSource(name=f"{self._view.name}_transformed", path=str(self._path), timestamp_field=self._time,
                            created_timestamp_column=self._created)
        proto.spec.batch_source.CopyFrom(source.to_proto())
        return proto


def _within(table: pa.Table, name: str, task: MaterializationTask) -> bool:
    """Whether the function left all event times in the window. Feast does not look again; times that moved are written."""
    if name not in table.column_names or not pa.types.is_timestamp(table.schema.field(name).type) or table.num_rows == 0:
        return True
    times = table[name].cast(pa.timestamp("us", "UTC"), safe=False)
    found = pc.min_max(times).as_py()
    return found["min"] is None or (task.start_time <= found["min"] and found["max"] <= task.end_time)
