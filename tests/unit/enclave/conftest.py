import pytest

from mcnode.conformance.enclave_fixture import PaymentLedger, in_process, over_tcp


@pytest.fixture(params=[in_process, over_tcp], ids=["in_process", "over_tcp"])
def make_enclave(request):
    """Both implementations of the interface."""
    return request.param


@pytest.fixture(scope="session")
def ledger():
    """A small ledger with three payments that can all be in one block."""
    return PaymentLedger()
