"""One run: a time of faults, then calm; nothing may go wrong in the first, all must be well after
the second."""

import dataclasses
import functools
import traceback
from collections.abc import Sequence

from mcnode.simulation.checks import LEVEL_BOUND_S, PROBE_BOUND_S, Finding, Violation, slowness
from mcnode.simulation.draws import Draws
from mcnode.simulation.faults import SECOND_US, Fault, faults_text
from mcnode.simulation.host import Host
from mcnode.simulation.ledger import StandInTx, make_tx
from mcnode.simulation.plan import last_end_us, particulars
from mcnode.simulation.topology import SimNetwork
from mcnode.simulation.world import World

MEMORY_CHECK_US = 5 * SECOND_US
PROBE_AGAIN_US = 5 * SECOND_US
"""A client that has no answer asks another node."""
TOMBSTONE_BLOCKS = 1_000
DOUBLE_SPENDS = 0.15
SHORT_LIVED = 0.1
_PROBE_NUMBER = 1 << 50
TRACEBACK_LINES = 12


@dataclasses.dataclass(frozen=True, slots=True)
class SimConfig:
    """A run. Everything that happens follows from these."""

    network: SimNetwork
    seed: int
    faults: tuple[Fault | str, ...] = ()
    active_us: int = 60 * SECOND_US
    tx_interval_us: int = 4 * SECOND_US
    """Mean time between transactions of clients; 0: none."""
    check_slots: bool = True
    keep_trace: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class SimResult:
    """What came of a run."""

    seed: int
    faults: tuple[Fault, ...]
    """All of them as particulars."""
    finding: Finding | None
    trace_hash: str
    events: int
    virtual_us: int
    blocks: int
    """Agreed on, at the honest node that has most."""
    waits_s: tuple[float, ...]
    trace_tail: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """For `--json`."""
        finding = self.finding
        return {
            "seed": self.seed,
            "ok": finding is None,
            "finding": None if finding is None else dataclasses.asdict(finding),
            "faults": faults_text(self.faults),
            "trace_hash": self.trace_hash,
            "events": self.events,
            "virtual_seconds": self.virtual_us / SECOND_US,
            "blocks": self.blocks,
        }


def simulate(config: SimConfig) -> SimResult:
    """Run to the end, or to the first finding.

    Raises:
        TooManyFaults: the network has not enough nodes for them.
    """
    faults = particulars(config.faults, config.network, config.seed, config.active_us)
    run = _Run(config, faults)
    finding = None
    try:
        run.go()
    except Violation as violation:
        finding = violation.finding
    except Exception as error:  # the outermost loop of a run: any fault of the code is a finding
        lines = "".join(traceback.format_exception(error)).splitlines()[-TRACEBACK_LINES:]
        finding = Finding("crash", run.world.timeline.now_us, -1, "\n".join(lines))
    world = run.world
    if finding is not None:
        world.trace.add(f"{world.timeline.now_us} {finding.kind}")
    return SimResult(
        seed=config.seed,
        faults=faults,
        finding=finding,
        trace_hash=world.trace.hexdigest(),
        events=world.timeline.handled,
        virtual_us=world.timeline.now_us,
        blocks=max((host.ledger.num_blocks() for host in world.honest()), default=1) - 1,
        waits_s=tuple(world.waits_s),
        trace_tail=tuple(world.trace.tail),
    )


class _Run:
    def __init__(self, config: SimConfig, faults: Sequence[Fault]) -> None:
        self._config = config
        self.world = World(
            config.network,
            config.seed,
            faults,
            check_slots=config.check_slots,
            keep_trace=config.keep_trace,
        )
        self._active_us = max(config.active_us, last_end_us(faults))
        self._draws = Draws(config.seed, "clients")
        self._tx_count = 0

    def go(self) -> None:
        """The whole run."""
        world = self.world
        world.timeline.at(0, self._look_at_memory)
        if self._config.tx_interval_us:
            self._schedule_client()
        world.timeline.run_until(self._active_us, _never)
        world.calm()
        self._level()
        self._probe()

    # -- the time of faults -----------------------------------------------------------------------

    def _look_at_memory(self) -> None:
        self.world.check_memory()
        self.world.timeline.after(MEMORY_CHECK_US, self._look_at_memory)

    def _schedule_client(self) -> None:
        wait_us = self._draws.between(0, 2 * self._config.tx_interval_us)
        if self.world.timeline.now_us + wait_us < self._active_us:
            self.world.timeline.after(wait_us, self._client)

    def _client(self) -> None:
        draws, world = self._draws, self.world
        first = self._new_tx(spends=self._tx_count)
        draws.pick(world.hosts).submit(first)
        if draws.chance(DOUBLE_SPENDS):
            second = self._new_tx(spends=self._tx_count - 1)
            draws.pick(world.hosts).submit(second)
        self._schedule_client()

    def _new_tx(self, spends: int) -> StandInTx:
        height = max(host.ledger.num_blocks() for host in self.world.hosts)
        lifetime = 2 if self._draws.chance(SHORT_LIVED) else TOMBSTONE_BLOCKS
        self._tx_count += 1
        tx = make_tx(
            self._tx_count,
            spends=spends,
            tombstone_block=height + lifetime,
            priority=self._draws.below(3),
        )
        self.world.txs[tx.tx_hash] = tx
        return tx

    # -- after it ---------------------------------------------------------------------------------

    def _level(self) -> None:
        """Everybody gets what anybody had."""
        world = self.world
        honest = world.honest()
        height = max((host.ledger.num_blocks() for host in honest), default=0)
        bound_s = round(LEVEL_BOUND_S * slowness(self._config.network.timing))
        end_us = world.timeline.now_us + bound_s * SECOND_US

        def is_level() -> bool:
            return all(host.ledger.num_blocks() >= height for host in honest)

        if not world.timeline.run_until(end_us, is_level):
            low = min(honest, key=lambda host: host.ledger.num_blocks())
            self._not_live(
                low,
                f"{low.ledger.num_blocks()} blocks {bound_s} s after the last fault, others "
                f"had {height}",
            )

    def _probe(self) -> None:
        """A new transaction reaches every ledger."""
        world = self.world
        honest = world.honest()
        if not honest:
            return
        tx = make_tx(
            _PROBE_NUMBER,
            spends=_PROBE_NUMBER,
            tombstone_block=max(host.ledger.num_blocks() for host in honest) + TOMBSTONE_BLOCKS,
        )
        world.txs[tx.tx_hash] = tx
        self._submit_probe(tx, honest, 0)
        bound_s = round(PROBE_BOUND_S * slowness(self._config.network.timing))
        end_us = world.timeline.now_us + bound_s * SECOND_US

        def is_everywhere() -> bool:
            return all(host.ledger.has_spent(tx.key_images) for host in honest)

        if not world.timeline.run_until(end_us, is_everywhere):
            without = next(h for h in honest if not h.ledger.has_spent(tx.key_images))
            self._not_live(without, f"a transaction is in no block after {bound_s} s")

    def _submit_probe(self, tx: StandInTx, honest: Sequence[Host], attempt: int) -> None:
        host = honest[attempt % len(honest)]
        if not host.ledger.has_spent(tx.key_images):
            host.submit(tx)
        again = functools.partial(self._submit_probe, tx, honest, attempt + 1)
        self.world.timeline.after(PROBE_AGAIN_US, again)

    def _not_live(self, host: Host, text: str) -> None:
        now_us = self.world.timeline.now_us
        raise Violation(Finding("liveness", now_us, host.instance, text))


def _never() -> bool:
    return False
