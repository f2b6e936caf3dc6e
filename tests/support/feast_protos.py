"""Feast's generated protobuf classes without importing Feast itself, which costs seconds."""
import importlib.util
import sys
import types

if "feast" not in sys.modules:
    package = types.ModuleType("feast")
    package.__path__ = list(importlib.util.find_spec("feast").submodule_search_locations)
    sys.modules["feast"] = package

from feast.protos.feast.core.Registry_pb2 import Registry  # noqa: E402
from feast.protos.feast.types import Value_pb2  # noqa: E402

Value = Value_pb2.Value


def read_registry(path):
    registry = Registry()
    registry.ParseFromString(path.read_bytes())
    return registry


def intervals(path):
    """view -> [(start, end)] as microseconds since the epoch."""
    def us(t):
        return t.seconds * 10**6 + t.nanos // 1000
    registry = read_registry(path)
    return {view.spec.name: [(us(i.start_time), us(i.end_time)) for i in view.meta.materialization_intervals]
            for view in [*registry.feature_views, *registry.stream_feature_views]}


def point_sources(path, uri_of, endpoint=""):
    """Gives every file source another place: uri_of(old) -> new."""
    registry = read_registry(path)
    views = [*registry.feature_views, *registry.stream_feature_views]
    for source in [*registry.data_sources, *[view.spec.batch_source for view in views]]:
        for one in (source, source.batch_source):
            if one.file_options.uri:
                one.file_options.uri = uri_of(one.file_options.uri)
                one.file_options.s3_endpoint_override = endpoint
    path.write_bytes(registry.SerializeToString())


def value(data):
    message = Value()
    message.ParseFromString(data)
    return message
