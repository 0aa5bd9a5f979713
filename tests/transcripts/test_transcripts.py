"""The scenario catalogue: transcripts beside this file, performed by the build.

`pytest tests/transcripts --rewrite-transcripts` writes what the build says now; the difference is
for review. The five files hold the catalogue's networks and organisations, single slots, and
stellar-core's ballot and nomination scenarios.
"""

from pathlib import Path

import pytest

from mcnode.conformance.scp_topic_text import TranscriptError, read_topic, write_topic
from mcnode.conformance.scp_transcript import perform

FILES = sorted(Path(__file__).parent.glob("*.txt"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_transcript(path: Path, request: pytest.FixtureRequest) -> None:
    text = path.read_text(encoding="ascii")
    performed = perform(text)
    if request.config.getoption("--rewrite-transcripts"):
        path.write_text(performed, encoding="ascii")
    else:
        assert performed.splitlines() == text.splitlines()


def test_the_catalogue_is_whole() -> None:
    counts = {path.stem: path.read_text(encoding="ascii").count("\n== ") for path in FILES}
    assert counts == {
        "networks": 15,
        "organisations": 4,
        "slots": 33,
        "stellar-ballots": 44,
        "stellar-nominations": 10,
    }


SCENE = """== three nodes
node 1 needs 2 of [2 3]
node 2 needs 2 of [1 3]
node 3 needs 2 of [1 2]
slot 1, node 1
> 2: Prepare B=<1: 5> P=<1: 5>
"""


def test_expectations_are_written_anew() -> None:
    performed = perform(SCENE + "< nothing\n= X={9}\n# kept\n")
    assert performed == SCENE + (
        "< NominatePrepare X={} Y={} B=<1: 5> P=<1: 5>\n= B=<1: 5> P=<1: 5>\n# kept\n"
    )


def test_who_is_with_nobody_needs_a_reason() -> None:
    others = "  network < nothing\n  stellar < Prepare B=<1: 5>\n"
    with pytest.raises(TranscriptError, match="is neither nothing nor Prepare"):
        perform(SCENE + others)
    perform(SCENE + others + "  differs: it is a test\n")
    perform(SCENE + others.replace("nothing", "Prepare B=<1: 5> P=<1: 5>"))


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("node 1 needs 2 of 2 3", "not like"),
        ("nodes 1", "nothing that is known"),
        ("> sing", "step 'sing' is not known"),
        ("> 2: Sing B=<1: 5>", "there is no 'Sing'"),
        ("> 2: Prepare P=<1: 5>", "lacks or spoils 'B'"),
    ],
)
def test_lines_that_cannot_be_read_are_named(line: str, text: str) -> None:
    with pytest.raises(TranscriptError, match=f"line 7: .*{text}"):
        perform(SCENE + line)


@pytest.mark.parametrize(
    "text",
    [
        "Nominate X={1 2} Y={3}",
        "NominatePrepare X={} Y={a b} B=<2: a> P=<1: b> PP=<1: a>",
        "Prepare B=<inf: 1> CN=0 HN=2",
        "Commit B=<2: 1> PN=2 CN=1 HN=inf",
        "Externalize C=<1: 1 2> HN=3",
    ],
)
def test_statements_read_back(text: str) -> None:
    assert write_topic(read_topic(text)) == text
