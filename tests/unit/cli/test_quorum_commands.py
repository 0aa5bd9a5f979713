"""`mcnode quorum`: answers, exit statuses, forms."""

import json

import pytest

from mcnode.cli.main import main

IDS = [f"node{number}.example:8443" for number in range(1, 11)]


def network(own, threshold=7, ids=IDS):
    others = [each for each in ids if each != own]
    return {
        "broadcast_peers": [f"mcp://{each}/" for each in others],
        "tx_source_urls": ["file:///a/"],
        "quorum_set": {
            "threshold": threshold,
            "members": [{"type": "Node", "args": each} for each in others],
        },
    }


@pytest.fixture
def run(monkeypatch, capsys):
    def call(*arguments):
        monkeypatch.setattr("sys.argv", ["mcnode", "quorum", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        shown = capsys.readouterr()
        return ended.value.code or 0, shown.out, shown.err

    return call


@pytest.fixture
def files(tmp_path):
    """The network files of ten nodes, each in a directory of its own; a mapping beside them."""
    for number, own in enumerate(IDS, 1):
        directory = tmp_path / "nodes" / f"node-{number}"
        directory.mkdir(parents=True)
        (directory / "network.json").write_text(json.dumps(network(own)))
    organisations = [
        {"name": name, "nodes": nodes}
        for name, nodes in (("A", IDS[:4]), ("B", IDS[4:7]), ("C", IDS[7:9]), ("D", IDS[9:]))
    ]
    (tmp_path / "map.json").write_text(json.dumps({"organisations": organisations}))
    return tmp_path


def test_check(run, files):
    status, out, _ = run("check", files / "nodes")
    assert status == 0
    assert "10 nodes, 10 of them decide, 56 quorums" in out
    status, out, _ = run("check", files / "nodes", "--json")
    assert (status, json.loads(out)["quorums"]) == (0, 56)


def test_check_of_one_view(run, files):
    status, out, err = run("check", files / "nodes" / "node-1" / "network.json")
    assert (status, "56 quorums" in out) == (0, True)
    assert "one node's view" in err
    status, out, _ = run("check", "--assume", "none", files / "nodes/node-1/network.json")
    assert (status, "NO QUORUM" in out) == (2, True)


def test_check_finds_a_split(run, tmp_path):
    ids = ["a:1", "b:1", "c:1", "d:1"]
    sources = []
    for own in ids:
        path = tmp_path / f"{own[0]}.json"
        path.write_text(json.dumps(network(own, 1, ids)))
        sources.append(f"{own}={path}")
    status, out, _ = run("check", *sources)
    assert status == 1
    assert "SPLIT" in out
    assert "quorum 1 (2 nodes)" in out
    status, out, _ = run("check", "--json", *sources)
    one, other = json.loads(out)["witness"]
    assert sorted(one + other) == ids


def test_what_is_no_verdict(run, files, tmp_path):
    (tmp_path / "empty").mkdir()
    for arguments, reason in (
        (("check", tmp_path / "none.json"), "none.json: No such file"),
        (("check", files / "map.json"), "no network file"),
        (("check", tmp_path / "empty"), "no .json or .toml file in it"),
        (("check", "mca:///"), "Missing host"),
        (("check",), "Missing argument"),
        (("check", "--tokens", "x"), "No such option"),
        (("whatif", files / "nodes"), "nothing to change"),
        (("whatif", files / "nodes", "--drop", "zzz"), "no node zzz"),
        (("export", files / "nodes", "--to", "network-json"), "name the node with --node"),
    ):
        status, out, err = run(*arguments)
        assert (status, out) == (4, "")
        assert reason in err
        assert "Traceback" not in err
    status, _, err = run("check", "insecure-mca://127.0.0.1:9/")
    assert status == 3
    assert "127.0.0.1:9" in err


def test_lint(run, files, tmp_path):
    status, out, _ = run("lint", files / "nodes", "--mapping", files / "map.json")
    assert status == 0
    assert "organisation A (4 nodes) stops" in out
    assert "0 errors, 13 warnings, 0 notes" in out
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps(network("x:1", 0, ["x:1", "y:1"])))
    status, out, _ = run("lint", bad, "--json")
    assert status == 1
    assert {"code": "threshold-zero", "severity": "error"}.items() <= json.loads(out)[0].items()


def test_sets(run, files):
    arguments = ("sets", files / "nodes", "--mapping", files / "map.json")
    _, out, _ = run(*arguments, "--show", 1)
    assert "minimal blocking sets (can halt it): 120: 120 of 3" in out
    assert "minimal splitting sets (can split it by lying): 210: 210 of 6" in out
    assert "    {A}\n" in out or "    {B}\n" in out
    _, out, _ = run(*arguments, "--by", "organisation", "--json")
    (found,) = json.loads(out)["by"]
    blocking = found["minimal_blocking_sets"]["sets"]
    assert sorted(map(sorted, blocking)) == [["A"], ["B"], ["C", "D"]]
    assert sorted(found["top_tier"]["members"]) == ["A", "B", "C", "D"]
    assert found["top_tier"]["is_complete"]


def test_whatif(run, files):
    status, out, _ = run("whatif", files / "nodes", "--threshold", "4")
    assert status == 1
    assert out.splitlines()[0].split() == ["before", "after"]
    assert any(line.split() == ["quorums", "56", "638", "<"] for line in out.splitlines())
    status, out, _ = run("whatif", files / "nodes", "--drop", IDS[0], "--json")
    found = json.loads(out)
    assert (status, found["before"]["nodes"], found["after"]["nodes"]) == (0, "10", "9")


def test_suggest(run, files, tmp_path):
    status, out, err = run(
        "suggest", files / "nodes", "--mapping", files / "map.json", "--for", IDS[0]
    )
    assert status == 0
    quorum_set = json.loads(out)["quorum_set"]
    assert quorum_set["threshold"] == 3
    assert IDS[0] not in out
    assert "A: 3 of its 4 nodes; 1 may be down" in err
    organisations = tmp_path / "organisations.toml"
    organisations.write_text('[[organisations]]\nname = "A"\nnodes = ["a:1", "b:1", "c:1"]\n')
    _, out, _ = run("suggest", organisations, "--json")
    found = json.loads(out)
    assert found["quorum_set"]["threshold"] == 2
    assert found["if_all_nodes_take_it"]["verdict"] == "intersecting"


def test_graph(run, files, tmp_path):
    status, out, _ = run("graph", files / "nodes", "--mapping", files / "map.json")
    assert status == 0
    assert out.startswith("<svg ")
    status, out, err = run("graph", files / "nodes", "--by", "host", "-o", tmp_path / "a" / "g.svg")
    assert (status, out) == (0, "")
    assert "wrote" in err
    assert (tmp_path / "a" / "g.svg").read_text().endswith("</svg>\n")


def test_graph_for_other_drawing_programs(run, files):
    status, out, _ = run("graph", files / "nodes", "--mapping", files / "map.json", "--json")
    assert status == 0
    found = json.loads(out)
    assert (found["verdict"], found["quorums"], found["witness"]) == ("intersecting", 56, [])
    assert {name: len(ids) for name, ids in found["groups"].items()} == {
        "A": 4,
        "B": 3,
        "C": 2,
        "D": 1,
    }
    ids = [node["id"] for node in found["nodes"]]
    assert {node["set"] for node in found["nodes"]} == {1}
    assert found["sets"]["1"] == {"threshold": 8, "nodes": ids, "inner": []}
    arrows = {(arrow["from"], arrow["to"]) for arrow in found["arrows"]}
    assert arrows == {(one, other) for one in ids for other in ids if one != other}


def test_graph_tells_a_split(run, tmp_path):
    sources = []
    for own, others in (("a:1", ["b:1"]), ("b:1", ["a:1"]), ("c:1", ["d:1", "e:1"])):
        path = tmp_path / f"{own[0]}.json"
        path.write_text(json.dumps(network(own, 1, [own, *others])))
        sources.append(f"{own}={path}")
    (tmp_path / "d.json").write_text(json.dumps(network("d:1", 1, ["d:1", "c:1"])))
    status, out, _ = run(
        "graph", *sources, f"d:1={tmp_path / 'd.json'}", "--assume", "none", "--json"
    )
    assert status == 0
    found = json.loads(out)
    sides = {node["id"]: (node["decides"], node["witness"]) for node in found["nodes"]}
    assert sides == {
        "a:1": (True, 1),
        "b:1": (True, 1),
        "c:1": (True, 2),
        "d:1": (True, 2),
        "e:1": (False, None),
    }
    assert [node["set"] for node in found["nodes"] if node["id"] == "e:1"] == [None]


def test_export_there_and_back(run, files, tmp_path):
    listed = tmp_path / "nodes.json"
    run(
        "export",
        files / "nodes",
        "--mapping",
        files / "map.json",
        "--to",
        "stellarbeat",
        "-o",
        listed,
    )
    assert json.loads(listed.read_text())[0]["organizationId"] == "A"
    back = tmp_path / "back"
    status, _, _ = run("export", listed, "--to", "network-toml", "-o", back)
    assert status == 0
    assert len(list(back.iterdir())) == 10
    base = files / "nodes" / "node-2" / "network.json"
    _, out, _ = run("export", listed, "--to", "network-json", "--node", IDS[1], "--base", base)
    assert json.loads(out) == json.loads(base.read_text())
