"""Quorum analysis: from a read system to the answer, the masks and formulas made anew each time."""

from collections.abc import Iterable

from bench.harness import Benchmark
from mcnode.quorum.compiled import CompiledSystem
from mcnode.quorum.intersection import Verdict
from mcnode.quorum.model import FederatedNode, FederatedSystem, Grouping, complete
from mcnode.quorum.summary import check_system, find_sets
from mcnode.scp import QuorumSet


def october_2021() -> FederatedSystem:
    """Ten nodes of four operators, each asks for 7 of the other 9."""
    ids = [f"node{number}:1" for number in range(10)]
    return FederatedSystem(
        {
            own: FederatedNode(
                own,
                QuorumSet(7, tuple(other for other in ids if other != own)),
                organisation=operator,
            )
            for own, operator in zip(ids, "AAAABBBCCD", strict=True)
        }
    )


def organisations(count: int, threshold: int, *, own: bool = True) -> FederatedSystem:
    """Organisations of three nodes, two of which speak for it. Without `own`, nodes list all
    organisations but theirs: as many different sets as organisations."""
    names = [tuple(f"o{number}n{node}:1" for node in range(3)) for number in range(count)]
    nodes = []
    for number, ids in enumerate(names):
        listed = [each for other, each in enumerate(names) if own or other != number]
        quorum_set = QuorumSet(threshold, tuple(QuorumSet(2, each) for each in listed))
        nodes += [FederatedNode(node, quorum_set, organisation=f"o{number}") for node in ids]
    return FederatedSystem(complete(nodes))


def check(system: FederatedSystem, verdict: Verdict, *, count: bool = True) -> None:
    found = check_system(system, count=count)
    assert found.intersection.verdict is verdict
    assert (verdict is Verdict.SPLIT) == (found.intersection.witness is not None)


def sets(system: FederatedSystem, grouping: Grouping | None) -> None:
    found = find_sets(CompiledSystem(system), grouping)
    assert found.blocking.is_complete
    assert found.splitting.is_complete


def benchmarks() -> Iterable[Benchmark]:
    holds, split = Verdict.INTERSECTING, Verdict.SPLIT
    ten = october_2021()
    yield Benchmark("ten nodes: check, 56 quorums counted", "ms", "100", lambda: check(ten, holds))
    yield Benchmark("ten nodes: all minimal sets", "ms", "100", lambda: sets(ten, None))
    yield Benchmark(
        "ten nodes: all minimal sets of operators",
        "ms",
        "100",
        lambda: sets(ten, Grouping.ORGANISATION),
    )
    for count, threshold in ((16, 11), (24, 17)):
        shape = f"{count} x 3"
        alike = organisations(count, threshold)
        halves = organisations(count, count // 2)
        others = organisations(count, threshold - 1, own=False)
        timed = {
            f"{shape}: intersecting": lambda alike=alike: check(alike, holds, count=False),
            f"{shape}: split, with witness": lambda halves=halves: check(
                halves, split, count=False
            ),
            f"{shape}: all minimal sets": lambda alike=alike: sets(alike, None),
            f"{shape}, own left out: intersecting": lambda others=others: check(
                others, holds, count=False
            ),
            f"{shape}, own left out: quorums counted too": lambda others=others: check(
                others, holds
            ),
            f"{shape}, own left out: all minimal sets": lambda others=others: sets(others, None),
        }
        for name, work in timed.items():
            yield Benchmark(name, "ms", "2000", work, repeat=1, runs=5)
