"""The picture: well-formed, the same every time, nothing on top of anything else."""

import itertools
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from mcnode.quorum.graph import lay_out
from mcnode.quorum.model import FederatedNode, Grouping
from mcnode.quorum.sources import SourceText, read_system
from mcnode.quorum.summary import check_system
from mcnode.quorum.svg import WITNESS_COLOURS, draw
from mcnode.scp import QuorumSet

SVG = "{http://www.w3.org/2000/svg}"


def drawn(system, grouping=Grouping.ORGANISATION, headline="a headline"):
    check = check_system(system)
    return draw(check.system, check.intersection, grouping, headline)


def texts(svg):
    return [each.text for each in ET.fromstring(svg).iter(f"{SVG}text")]


def test_october_2021(ten):
    svg = drawn(ten)
    assert svg == drawn(ten)
    shown = texts(svg)
    assert shown.count("1") == 10  # one and the same set for all
    assert {"A", "B", "C", "D", "A1", "D10", "4 nodes", "1 node", "a headline"} <= set(shown)
    assert any("all nodes ask for 8 of 10: every node" in text for text in shown)
    arrows = list(ET.fromstring(svg).iter(f"{SVG}polygon"))
    assert len(arrows) == 12  # six pairs of operators, both ways


def test_a_split_shows_both_quorums(halves):
    svg = drawn(halves, None)
    for colour in WITNESS_COLOURS:
        rings = [e for e in ET.fromstring(svg).iter(f"{SVG}circle") if e.get("stroke") == colour]
        assert len(rings) == 2 + 1  # two of a triangle, and the legend
    shown = texts(svg)
    assert "THE NETWORK CAN SPLIT: the two ringed quorums share no node." in shown
    assert "?: its quorum set is not known; it never answers" in shown
    assert "dashed: in no quorum that decides" in shown


def test_a_large_network_is_drawn_in_rows(make_organisations):
    system = make_organisations(24, 3, 17, 2)
    svg = drawn(system)
    shown = texts(svg)
    assert "everybody listens to everybody: arrows are left out" in shown
    assert shown.count("2 of its 3 speak for it") == 24
    assert any("17 of 24 groups, each by 2 of its 3 nodes" in text for text in shown)
    assert not list(ET.fromstring(svg).iter(f"{SVG}polygon"))


@pytest.mark.parametrize("grouping", [None, Grouping.ORGANISATION])
@pytest.mark.parametrize("count", [1, 2, 5, 9, 24])
def test_boxes_do_not_overlap(make_organisations, count, grouping):
    system = make_organisations(count, 3, count, 2)
    picture = lay_out(check_system(system).system, grouping)
    for one, other in itertools.combinations(picture.groups, 2):
        assert (
            one.x + one.width <= other.x
            or other.x + other.width <= one.x
            or one.y + one.height <= other.y
            or other.y + other.height <= one.y
        )
    for group in picture.groups:
        assert group.x >= 0 and group.x + group.width <= picture.width
        assert group.y >= 0 and group.y + group.height <= picture.height


def test_names_are_escaped_and_cut(ten):
    odd = FederatedNode("x:1", QuorumSet(1, ("x:1",)), "<b>&" + "long " * 20, "<org>")
    shown = texts(drawn(ten.with_nodes([*ten, odd]), headline='<&">'))
    assert '<&">' in shown
    assert "<org>" in shown
    assert any(text.startswith("<b>&long") and text.endswith("…") for text in shown)


def test_more_sets_than_colours(ten):
    nodes = [
        FederatedNode(f"n{k}", QuorumSet(1, (f"n{(k + 1) % 9}", f"n{(k + 2) % 9}")))
        for k in range(9)
    ]
    shown = texts(drawn(ten.with_nodes(nodes), None))
    assert any("2 more sets" in text for text in shown)


@pytest.mark.parametrize("name", ["october-2021", "split"])
def test_pictures_of_the_documents_are_up_to_date(name):
    examples = Path(__file__).parents[3] / "docs" / "examples"
    system = read_system([SourceText((examples / f"{name}.json").read_text(), name)])
    grouping = Grouping.ORGANISATION if system.has_groups(Grouping.ORGANISATION) else None
    count = check_system(system).quorum_count
    shown = drawn(system, grouping, f"{len(system)} nodes, {count} quorums")
    assert (examples / f"{name}.svg").read_text() == shown
