from collections.abc import Iterator
from importlib import import_module

from google.protobuf.descriptor import ServiceDescriptor

from mcnode.api.generate import PROTO_DIR
from mcnode.api.services import METHODS


def service_descriptors() -> Iterator[ServiceDescriptor]:
    for path in sorted(PROTO_DIR.glob("*.proto")):
        module = import_module(f"mcnode.api.gen.{path.stem}_pb2")
        yield from module.DESCRIPTOR.services_by_name.values()


def test_table_equals_the_service_descriptors() -> None:
    declared = {
        (
            method.service,
            method.name,
            method.request.DESCRIPTOR.full_name,
            method.response.DESCRIPTOR.full_name,
            method.streams_response,
        )
        for method in METHODS
    }
    described = {
        (
            service.full_name,
            method.name,
            method.input_type.full_name,
            method.output_type.full_name,
            method.server_streaming,
        )
        for service in service_descriptors()
        for method in service.methods
    }
    assert declared == described
    assert len(METHODS) == len(declared)


def test_paths() -> None:
    paths = {method.path for method in METHODS}
    assert "/consensus_client.ConsensusClientAPI/ClientTxPropose" in paths
    assert "/grpc.health.v1.Health/Ping" in paths
