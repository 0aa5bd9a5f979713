import pytest

from mcnode.connection.chain_id import ChainIdMismatch, chain_id_metadata, check_chain_id


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("chain-id", "main")],
        [("Chain-Id", b"main"), ("chain-id", "main")],
        [("chain", "test")],
    ],
)
def test_accepted(headers: list[tuple[str, str | bytes]]) -> None:
    check_chain_id(headers, "main")


@pytest.mark.parametrize(
    "headers",
    [
        [("chain-id", "")],
        [("chain-id", "Main")],
        [("chain-id", "main"), ("chain-id", "test")],
        [("chain-id", b"\xff")],
    ],
)
def test_refused(headers: list[tuple[str, str | bytes]]) -> None:
    with pytest.raises(ChainIdMismatch) as caught:
        check_chain_id(headers, "main")
    assert str(caught.value) == "chain-id mismatch: 'main'"
    check_chain_id(headers, None)


def test_what_a_client_sends() -> None:
    assert chain_id_metadata("main") == (("chain-id", "main"),)
    assert chain_id_metadata("") == ()
