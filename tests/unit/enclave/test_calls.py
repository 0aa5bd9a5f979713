"""Every call of the interface, in process and over TCP."""

import asyncio
import dataclasses

import pytest

from mcnode.attest.key_exchange import HandshakeRead
from mcnode.blockchain.signature import check_block_signature
from mcnode.codec import protobuf
from mcnode.conformance.enclave_fixture import (
    connect_client,
    in_process,
    make_trusted,
    open_peer_session,
    start,
)
from mcnode.crypto.multisig import SignerSet
from mcnode.enclave import errors
from mcnode.enclave.config import BlockchainConfig, GovernorsMap
from mcnode.enclave.interface import EnclaveMessage, EncryptedTxWithProofs, FormBlockInputs
from mcnode.enclave.trusted.simulated import SimulatedMeasurement
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.fee_map import FeeMap
from mcnode.transaction.hashing import tx_hash
from mcnode.transaction.validation.errors import (
    InvalidTransactionSignature,
    TokenNotYetConfigured,
    TombstoneBlockExceeded,
)

pytestmark = pytest.mark.asyncio

CONFIG = BlockchainConfig()


async def test_before_init_only_identity_is_known(make_enclave):
    async with make_enclave() as enclave:
        assert len(await enclave.get_identity()) == 32
        assert len(await enclave.get_minting_trust_root()) == 32
        for call in (
            enclave.get_minimum_fee(0),
            enclave.get_signer(),
            enclave.begin_attestation(),
            enclave.client_accept(bytes(32)),
            enclave.peer_init("other.test:1"),
        ):
            with pytest.raises(errors.NotInitialized):
                await call


async def test_init_comes_once(make_enclave):
    async with make_enclave() as enclave:
        await start(enclave)
        with pytest.raises(errors.AlreadyInit):
            await start(enclave)


async def test_getters(make_enclave):
    async with make_enclave() as enclave:
        await start(enclave, config=BlockchainConfig(FeeMap({0: 400_000_000, 8: 1280})))
        assert await enclave.get_minimum_fee(8) == 1280
        assert await enclave.get_minimum_fee(9) is None
        recipient = await enclave.get_fee_recipient()
        assert recipient.spend_public_key.hex().startswith("26b507c6")
        assert recipient.view_public_key.hex().startswith("5222a1e9")


async def test_sealed_key_gives_the_same_signer_again(make_enclave):
    async with make_enclave(seed=1) as first:
        sealed = (await start(first)).sealed_block_signing_key
        signer = await first.get_signer()
    async with make_enclave(seed=2) as second:
        again = (await start(second, sealed=sealed)).sealed_block_signing_key
        assert await second.get_signer() == signer
        assert again != sealed


@pytest.mark.parametrize("change", ["damaged", "short", "other enclave", "sgx"])
async def test_sealed_key_of_somebody_else_is_refused(change):
    async with in_process(seed=1) as first:
        sealed = (await start(first)).sealed_block_signing_key
    measurement = SimulatedMeasurement()
    match change:
        case "damaged":
            sealed = sealed[:-1] + bytes([sealed[-1] ^ 1])
        case "short":
            sealed = sealed[:20]
        case "other enclave":
            measurement = SimulatedMeasurement(mr_enclave=bytes(32))
        case "sgx":
            sealed = bytes(512) + (592).to_bytes(4, "little") + bytes(76)
    async with in_process(seed=2, measurement=measurement) as second:
        with pytest.raises(errors.IntelSealing):
            await start(second, sealed=sealed)


async def test_payment_through_two_enclaves(make_enclave, ledger):
    """Client to first node, to second node, into the same block on both."""
    async with make_enclave(seed=1) as first, make_enclave(seed=2) as second:
        await start(first, "one.test:1")
        await start(second, "two.test:1")
        assert await first.get_identity() != await second.get_identity()
        client = await connect_client(first)
        here = [await ledger.propose(first, client, number) for number in range(3)]
        assert [tx.context.tx_hash for tx in here] == [tx_hash(tx) for tx in ledger.txs]
        assert all(tx.context.priority == 128 for tx in here)

        session = await open_peer_session(first, second, "two.test:1")
        message = await first.txs_for_peer(
            [tx.well_formed_encrypted_tx for tx in here], b"aad", session
        )
        contexts = await second.peer_tx_propose(message)
        assert [c.tx_hash for c in contexts] == [tx.context.tx_hash for tx in here]
        there = await asyncio.gather(
            *(
                second.tx_is_well_formed(c.locally_encrypted_tx, 0, proofs)
                for c, proofs in zip(contexts, ledger.proofs, strict=True)
            )
        )
        assert [tx.context for tx in there] == [tx.context for tx in here]

        formed = [
            await ledger.form(enclave, txs) for enclave, txs in ((first, here), (second, there))
        ]
        assert protobuf.encode(formed[0].block) == protobuf.encode(formed[1].block)
        assert protobuf.encode(formed[0].contents) == protobuf.encode(formed[1].contents)
        assert formed[0].signature.signer != formed[1].signature.signer
        for block in formed:
            check_block_signature(block.signature, block.block)
            assert block.signature.signed_at == 0


async def test_answer_to_get_txs_travels_back_on_the_responders_side(make_enclave, ledger):
    """The asked node encrypts with the key of the direction responder to initiator."""
    async with make_enclave(seed=1) as asking, make_enclave(seed=2) as asked:
        await start(asking, "one.test:1")
        await start(asked, "two.test:1")
        tx = await ledger.propose(asked, await connect_client(asked))
        session = await open_peer_session(asking, asked, "two.test:1")
        answer = await asked.txs_for_peer([tx.well_formed_encrypted_tx], b"", session)
        (context,) = await asking.peer_tx_propose(answer)
        assert context.tx_hash == tx.context.tx_hash


async def test_client_is_refused_with_another_name(make_enclave):
    async with make_enclave() as enclave:
        await start(enclave)
        with pytest.raises(HandshakeRead):
            await connect_client(enclave, "NODE1.test:443")


async def test_no_handshake_without_evidence(make_enclave):
    async with make_enclave() as enclave:
        await enclave.enclave_init("a.test:1", "a.test:2", None, CONFIG)
        with pytest.raises(errors.NoAttestationEvidenceAvailable):
            await connect_client(enclave)


@pytest.mark.parametrize("request_bytes", [b"", bytes(31), bytes(32), b"\x09" * (1 << 20) + b"x"])
async def test_bad_client_handshakes(make_enclave, request_bytes):
    async with make_enclave() as enclave:
        await start(enclave)
        with pytest.raises(errors.Kex):
            await enclave.client_accept(request_bytes)


async def test_messages_of_a_session_must_come_in_order(make_enclave, ledger):
    async with make_enclave() as enclave:
        await start(enclave)
        client = await connect_client(enclave)
        first, second = client.message(b"one"), client.message(ledger.tx_bytes[0])
        with pytest.raises(errors.Cipher):
            await enclave.client_tx_propose(second)
        await enclave.client_discard_message(first)
        await enclave.client_tx_propose(second)
        with pytest.raises(errors.Cipher):
            await enclave.client_tx_propose(second)


async def test_many_messages_of_a_session_sent_at_once_are_decrypted_in_order(make_enclave, ledger):
    async with make_enclave() as enclave:
        await start(enclave)
        clients = [await connect_client(enclave) for _ in range(3)]
        messages = [c.message(ledger.tx_bytes[0]) for _ in range(20) for c in clients]
        contexts = await asyncio.gather(*(enclave.client_tx_propose(m) for m in messages))
        assert {c.tx_hash for c in contexts} == {tx_hash(ledger.txs[0])}
        assert len({c.locally_encrypted_tx for c in contexts}) == len(messages)


async def test_closed_and_unknown_sessions(make_enclave, ledger):
    async with make_enclave() as enclave:
        await start(enclave)
        client = await connect_client(enclave)
        message = client.message(ledger.tx_bytes[0])
        await enclave.client_close(client.session)
        await enclave.client_close(client.session)
        with pytest.raises(errors.NotFound):
            await enclave.client_tx_propose(message)
        with pytest.raises(errors.NotFound):
            await enclave.peer_tx_propose(EnclaveMessage(b"", bytes(64), bytes(32)))
        with pytest.raises(errors.NotFound):
            await enclave.txs_for_peer([], b"", bytes(64))
        with pytest.raises(errors.NotFound):
            await enclave.peer_connect("nobody.test:1", bytes(200))


async def test_damaged_and_moved_messages(make_enclave, ledger):
    async with make_enclave() as enclave:
        await start(enclave)
        client, other = [await connect_client(enclave) for _ in range(2)]
        good = client.message(ledger.tx_bytes[0], b"aad")
        damaged = dataclasses.replace(good, data=good.data[:-1] + bytes([good.data[-1] ^ 1]))
        for bad in (
            damaged,
            dataclasses.replace(good, aad=b"other"),
            dataclasses.replace(good, channel_id=other.session),
            dataclasses.replace(good, data=b"short"),
        ):
            with pytest.raises(errors.Cipher):
                await enclave.client_tx_propose(bad)
        await enclave.client_tx_propose(good)


async def test_garbage_in_a_session(make_enclave):
    async with make_enclave() as enclave:
        await start(enclave)
        client = await connect_client(enclave)
        with pytest.raises(errors.Serialization):
            await enclave.client_tx_propose(client.message(b"\xff\xff"))


async def test_fee_map_digest(make_enclave, ledger):
    async with make_enclave() as enclave:
        await start(enclave)
        client = await connect_client(enclave)
        right = dataclasses.replace(ledger.txs[0], fee_map_digest=CONFIG.fee_map.canonical_digest())
        await enclave.client_tx_propose(client.message(protobuf.encode(right)))
        wrong = dataclasses.replace(ledger.txs[0], fee_map_digest=bytes(32))
        with pytest.raises(errors.FeeMapDigestMismatch) as caught:
            await enclave.client_tx_propose(client.message(protobuf.encode(wrong)))
        assert caught.value.wire_text == "Fee Map Digest Mismatch"


@pytest.mark.parametrize(
    "other",
    [
        BlockchainConfig(FeeMap({0: 400_000_128})),
        BlockchainConfig(block_version=BlockVersion(3)),
    ],
    ids=["fees", "block version"],
)
async def test_peers_with_other_rules_cannot_connect(make_enclave, other):
    async with make_enclave(seed=1) as first, make_enclave(seed=2) as second:
        await start(first, "one.test:1")
        await start(second, "two.test:1", other)
        request = await first.peer_init("two.test:1")
        accepted = await second.peer_accept(request)
        with pytest.raises(errors.Kex, match="does not authenticate"):
            await first.peer_connect("two.test:1", accepted.auth_response)
        with pytest.raises(errors.NotFound):
            await first.peer_connect("two.test:1", accepted.auth_response)


async def test_peers_of_another_measurement_cannot_connect(make_enclave):
    other = SimulatedMeasurement(mr_enclave=bytes(32))
    async with make_enclave(seed=1) as first, make_enclave(seed=2, measurement=other) as second:
        await start(first, "one.test:1")
        await start(second, "two.test:1")
        with pytest.raises(errors.Kex, match="enclave identity"):
            await second.peer_accept(await first.peer_init("two.test:1"))


async def test_ciphertexts_of_one_kind_do_not_pass_for_the_other(make_enclave, ledger):
    async with make_enclave() as enclave:
        await start(enclave)
        client = await connect_client(enclave)
        context = await enclave.client_tx_propose(client.message(ledger.tx_bytes[0]))
        tx = await enclave.tx_is_well_formed(context.locally_encrypted_tx, 0, ledger.proofs[0])
        with pytest.raises(errors.CacheCipher):
            await enclave.tx_is_well_formed(tx.well_formed_encrypted_tx, 0, ledger.proofs[0])
        unchecked = dataclasses.replace(tx, well_formed_encrypted_tx=context.locally_encrypted_tx)
        with pytest.raises(errors.CacheCipher):
            await ledger.form(enclave, [unchecked])


async def test_what_tx_is_well_formed_refuses(make_enclave, ledger):
    async with make_enclave() as enclave:
        await start(enclave)
        client = await connect_client(enclave)

        async def check(tx, block_index=0, proofs=ledger.proofs[0]):
            context = await enclave.client_tx_propose(client.message(protobuf.encode(tx)))
            return await enclave.tx_is_well_formed(
                context.locally_encrypted_tx, block_index, proofs
            )

        async def error_of(**arguments):
            with pytest.raises(errors.MalformedTx) as caught:
                await check(**arguments)
            return caught.value.error

        tx = ledger.txs[0]
        await check(tx)
        with pytest.raises(errors.InvalidLocalMembershipProof):
            await check(tx, proofs=[])
        other_ledger = ledger.fixture.tree.proof(3, count=40)
        with pytest.raises(errors.InvalidLocalMembershipProof):
            await check(tx, proofs=[other_ledger, *ledger.proofs[0][1:]])
        late = await error_of(tx=tx, block_index=100)
        assert isinstance(late, TombstoneBlockExceeded)
        assert (late.tombstone_block, late.current_block_index) == (100, 100)
        token = dataclasses.replace(tx.prefix, fee_token_id=77)
        unknown = await error_of(tx=dataclasses.replace(tx, prefix=token))
        assert isinstance(unknown, TokenNotYetConfigured)
        assert unknown.token_id == 77
        signature = dataclasses.replace(tx.signature, output_token_ids=(0, 78))
        unknown = await error_of(tx=dataclasses.replace(tx, signature=signature))
        assert isinstance(unknown, TokenNotYetConfigured)
        fee = dataclasses.replace(tx.prefix, fee=tx.prefix.fee + 1)
        bad = await error_of(tx=dataclasses.replace(tx, prefix=fee))
        assert isinstance(bad, InvalidTransactionSignature)
        assert bad.reason is not None


async def test_what_form_block_refuses(make_enclave, ledger):
    async with make_enclave() as enclave:
        await start(enclave)
        client = await connect_client(enclave)
        txs = [await ledger.propose(enclave, client, number) for number in range(3)]
        with pytest.raises(errors.FormBlock, match="Duplicate transaction"):
            inputs = FormBlockInputs(
                (EncryptedTxWithProofs(txs[0].well_formed_encrypted_tx, ledger.proofs[0]),) * 2
            )
            await enclave.form_block(ledger.parent, inputs, ledger.root)
        with pytest.raises(errors.InvalidLocalMembershipRootElement):
            root = dataclasses.replace(ledger.root, hash=bytes(32))
            await ledger.form(enclave, txs, root=root)
        with pytest.raises(errors.BlockVersionError, match="cannot decrease"):
            await ledger.form(enclave, txs, parent=dataclasses.replace(ledger.parent, version=5))
        with pytest.raises(errors.MalformedTx) as caught:
            await ledger.form(enclave, txs, parent=dataclasses.replace(ledger.parent, index=99))
        assert isinstance(caught.value.error, TombstoneBlockExceeded)


async def test_evidence_must_be_for_a_pending_quote(make_enclave):
    async with make_enclave() as enclave:
        await start(enclave)
        with pytest.raises(errors.InvalidState):
            await enclave.verify_attestation_evidence(await enclave.get_attestation_evidence())


async def test_secrets_are_hidden():
    trusted = make_trusted()
    assert "Private" not in repr(vars(trusted))
    assert trusted._handshakes._static.hex() not in repr(vars(trusted))


async def test_governors_must_be_signed(make_enclave):
    key = make_trusted().get_minting_trust_root()
    governors = GovernorsMap({1: SignerSet((key,), (), 1)})
    fees = FeeMap({0: 400_000_000, 1: 1280})
    for signature, error in (
        (None, errors.MissingGovernorsSignature),
        (bytes(64), errors.InvalidGovernorsSignature),
    ):
        async with make_enclave() as enclave:
            with pytest.raises(error):
                await start(enclave, config=BlockchainConfig(fees, governors, signature))
