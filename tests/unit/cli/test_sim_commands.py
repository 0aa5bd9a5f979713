"""What `mcnode sim` prints for scripts and for people."""

import json

import pytest
from click.testing import CliRunner

from mcnode.cli.sim import replay_command, sim
from mcnode.consensus.config.documents import load_document
from mcnode.consensus.config.network_file import parse_network
from mcnode.simulation.run import SimConfig
from mcnode.simulation.topology import from_quorum_set


@pytest.fixture
def run():
    """Run a command that succeeds: its lines on standard output."""

    def run(*words):
        result = CliRunner().invoke(sim, words)
        assert result.exit_code == 0, result.output
        return result.stdout.splitlines()

    return run


def test_a_sweep_gives_every_seed_and_closes_with_all(run):
    lines = run("sweep", "--seeds", "3..5", "--minutes", "0.05", "--jobs", "1", "--json")
    *each, summary = map(json.loads, lines)
    assert [one["seed"] for one in each] == [3, 4, 5]
    assert all(one["ok"] and len(one["trace_hash"]) == 64 for one in each)
    assert (summary["seeds"], summary["findings"], summary["failing_seeds"]) == (3, 0, [])


def test_latency_is_the_same_for_scripts_and_for_people(run):
    words = ("latency", "--links", "0ms,50ms", "--nomination", "500ms", "--minutes", "0.2")
    header, *table = run(*words)
    assert header.split() == ["link", "nomination", "ballot", "payments", "p50", "p99"]
    objects = [json.loads(line) for line in run(*words, "--json")]
    assert [one["link_ms"] for one in objects] == [0, 50]
    for one, line in zip(objects, table, strict=True):
        assert one["payments"] > 0
        assert one["p50_ms"] <= one["p99_ms"]
        payments, p50, unit, p99, _ = line.split()[3:]
        assert (int(payments), int(p50), int(p99), unit) == (
            *(one[name] for name in ("payments", "p50_ms", "p99_ms")),
            "ms",
        )


def test_a_network_file_brings_its_timers(run, tmp_path):
    """They are the default of `latency`, and nodes of `run` go by them."""
    names = [f"n{number}.example:8443" for number in range(4)]
    content = {
        "quorum_set": {
            "threshold": 3,
            "members": [{"type": "Node", "args": name} for name in names],
        },
        "broadcast_peers": [],
        "tx_source_urls": [],
    }
    plain, quick = tmp_path / "plain.json", tmp_path / "quick.json"
    plain.write_text(json.dumps(content))
    quick.write_text(json.dumps({**content, "timers": {"nomination_ms": 250, "ballot_ms": 500}}))
    found = {}
    for path in (plain, quick):
        network = parse_network(load_document(path))
        config = SimConfig(from_quorum_set(str(path), network.quorum_set, network.timing), 1)
        assert f"--network-file {path} " in replay_command(config)
        where = ("--network-file", str(path), "--minutes", "0.2", "--json")
        [line] = run("latency", "--links", "200ms", *where)
        [result] = map(json.loads, run("run", "--faults", "latency=200ms", *where))
        found[path] = (json.loads(line), result["trace_hash"])
    assert [found[plain][0][name] for name in ("nomination_ms", "ballot_ms")] == [1000, 1000]
    assert [found[quick][0][name] for name in ("nomination_ms", "ballot_ms")] == [250, 500]
    assert found[plain][1] != found[quick][1]
