"""Transactions that wait together are checked together; each still gets its own answer."""

import asyncio
import dataclasses
import threading

import pytest

from mcnode.codec import protobuf
from mcnode.conformance.enclave_fixture import connect_client, make_trusted, start
from mcnode.enclave import errors
from mcnode.enclave.boundary import Call, TxIsWellFormedRequest, pack_proofs
from mcnode.enclave.interface import WellFormedTx
from mcnode.enclave.trusted.dispatcher import CHECKS_TAKEN_MAX, Dispatcher
from mcnode.enclave.trusted.workers import WorkerPool


@pytest.mark.asyncio
async def test_each_gets_its_own_answer(make_enclave, ledger):
    async with make_enclave() as enclave:
        await start(enclave)
        client = await connect_client(enclave)
        prefix = dataclasses.replace(ledger.txs[0].prefix, fee=ledger.txs[0].prefix.fee + 1)
        bad = protobuf.encode(dataclasses.replace(ledger.txs[0], prefix=prefix))

        async def ciphertext(data):
            context = await enclave.client_tx_propose(client.message(data))
            return context.locally_encrypted_tx

        good = [await ciphertext(data) for data in ledger.tx_bytes]
        unsound = await ciphertext(bad)
        calls = [(good[n % 3], ledger.proofs[n % 3]) for n in range(9)]
        calls[2:2] = [(unsound, ledger.proofs[0])]
        calls[5:5] = [(b"no ciphertext", ledger.proofs[0])]
        calls[8:8] = [(good[0], ())]
        found = await asyncio.gather(
            *(enclave.tx_is_well_formed(sealed, 0, proofs) for sealed, proofs in calls),
            return_exceptions=True,
        )
        assert isinstance(found[2], errors.MalformedTx)
        assert isinstance(found[5], errors.CacheCipher)
        assert isinstance(found[8], errors.InvalidLocalMembershipProof)
        others = [each for place, each in enumerate(found) if place not in (2, 5, 8)]
        assert all(isinstance(each, WellFormedTx) for each in others)


class Recording:
    """Stands before the trusted half, notes how many it is asked about at once."""

    def __init__(self, breaks_at=None):
        self._trusted = make_trusted()
        self._breaks_at = breaks_at
        self.sizes = []

    def __getattr__(self, name):
        return getattr(self._trusted, name)

    def txs_are_well_formed(self, requests):
        self.sizes.append(len(requests))
        if any(request.locally_encrypted_tx == self._breaks_at for request in requests):
            raise RuntimeError("broken")
        return [errors.CacheCipher(request.locally_encrypted_tx.decode()) for request in requests]


def submit_together(enclave, names, workers=1):
    """Answers by name, when all calls arrive while every worker is busy."""
    pool = WorkerPool(workers)
    dispatcher = Dispatcher(enclave, pool)
    go_on, answers, done = threading.Event(), {}, threading.Semaphore(0)
    for _ in range(workers):
        pool.submit(go_on.wait, 0)

    def outcome_of(name):
        def outcome(response, error):
            answers[name] = error
            done.release()

        return outcome

    for name in names:
        request = TxIsWellFormedRequest(name.encode(), 0, pack_proofs(()))
        dispatcher.submit(Call.TX_IS_WELL_FORMED, request, outcome_of(name))
    go_on.set()
    for _ in names:
        assert done.acquire(timeout=10)
    dispatcher.close()
    return answers


@pytest.mark.parametrize("count", [1, 5, CHECKS_TAKEN_MAX, CHECKS_TAKEN_MAX + 3])
def test_one_worker_takes_what_waits(count):
    enclave = Recording()
    names = [f"tx {number}" for number in range(count)]
    answers = submit_together(enclave, names)
    assert {name: str(error) for name, error in answers.items()} == {
        name: str(errors.CacheCipher(name)) for name in names
    }
    rest = count - CHECKS_TAKEN_MAX
    assert enclave.sizes == ([count] if rest <= 0 else [CHECKS_TAKEN_MAX, rest])


def test_workers_share_what_waits():
    enclave = Recording()
    answers = submit_together(enclave, [str(number) for number in range(12)], workers=2)
    assert len(answers) == 12
    assert sum(enclave.sizes) == 12
    assert max(enclave.sizes) <= 6


def test_what_breaks_us_hits_no_other():
    enclave = Recording(breaks_at=b"3")
    answers = submit_together(enclave, [str(number) for number in range(5)])
    assert isinstance(answers.pop("3"), RuntimeError)
    assert all(isinstance(error, errors.CacheCipher) for error in answers.values())
