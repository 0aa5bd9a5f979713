import pytest

from mcnode.consensus.config.arguments import (
    Flag,
    Program,
    TextRequested,
    UsageError,
    help_text,
    parse_arguments,
    select_program,
)
from mcnode.consensus.config.values import parse_path, parse_unsigned

PROGRAM = Program(
    name="tool",
    about="A tool.",
    version_text="tool 1",
    flags=(
        Flag("--chain-id", env="T_CHAIN_ID", required=True, help="which"),
        Flag("--count", parse_unsigned(8), env="T_COUNT", default="3"),
        Flag("--path", parse_path, metavar="FILE_PATH"),
        Flag("--gone", env="T_GONE", obsolete=True),
    ),
)
USAGE = "Usage: tool [OPTIONS] --chain-id <CHAIN_ID>"
END = "\n\nFor more information, try '--help'."


def refusal(*args: str, **environment: str) -> str:
    with pytest.raises(UsageError) as caught:
        parse_arguments(PROGRAM, args, environment)
    text = str(caught.value)
    assert text.startswith("error: ")
    assert text.endswith(END)
    return text.removeprefix("error: ").removesuffix(END)


def test_flags_win_over_the_environment_and_defaults_fill_the_rest() -> None:
    arguments = parse_arguments(
        PROGRAM, ["--chain-id=a=b"], {"T_CHAIN_ID": "env", "T_COUNT": "4", "OTHER": "x"}
    )
    assert dict(arguments.values) == {"chain_id": "a=b", "count": 4, "path": None, "gone": None}
    assert arguments.given == {"chain_id", "count"}
    assert parse_arguments(PROGRAM, ["--chain-id", "-"], {})["count"] == 3


def test_obsolete_flags_are_understood_but_not_shown() -> None:
    arguments = parse_arguments(PROGRAM, ["--chain-id", "x", "--gone", "v"], {})
    assert arguments["gone"] == "v"
    assert "gone" not in help_text(PROGRAM)


def test_refusals() -> None:
    assert refusal() == (
        "the following required arguments were not provided:\n  --chain-id <CHAIN_ID>\n\n"
        "Usage: tool --chain-id <CHAIN_ID>"
    )
    assert refusal("--nope") == f"unexpected argument '--nope' found\n\n{USAGE}"
    assert refusal("--nope=3") == f"unexpected argument '--nope' found\n\n{USAGE}"
    assert refusal("-1") == f"unexpected argument '-1' found\n\n{USAGE}"
    assert refusal("word") == f"unexpected argument 'word' found\n\n{USAGE}"
    assert refusal("--chain-id", "x", "word") == (
        "unexpected argument 'word' found\n\n"
        "Usage: tool <--chain-id <CHAIN_ID>|--count <COUNT>|--path <FILE_PATH>>"
    )
    assert refusal("--chainid") == (
        "unexpected argument '--chainid' found\n\n"
        "  tip: a similar argument exists: '--chain-id'\n\n"
        "Usage: tool --chain-id <CHAIN_ID>"
    )
    assert refusal("--cout=1") == (
        "unexpected argument '--cout' found\n\n  tip: a similar argument exists: '--count'\n\n"
        "Usage: tool --chain-id <CHAIN_ID> --count <COUNT>"
    )
    assert refusal("--count", "1", "--count", "zz") == (
        f"the argument '--count <COUNT>' cannot be used multiple times\n\n{USAGE}"
    )


def test_values() -> None:
    assert refusal("--count", "x") == (
        "invalid value 'x' for '--count <COUNT>': invalid digit found in string"
    )
    assert refusal("--count", "256") == (
        "invalid value '256' for '--count <COUNT>': number too large to fit in target type"
    )
    assert refusal("--count=") == (
        "invalid value '' for '--count <COUNT>': cannot parse integer from empty string"
    )
    assert refusal("--path=") == (
        "a value is required for '--path <FILE_PATH>' but none was supplied"
    )
    assert refusal("--chain-id") == (
        "a value is required for '--chain-id <CHAIN_ID>' but none was supplied"
    )
    assert refusal("--chain-id", "--count", "1") == (
        "a value is required for '--chain-id <CHAIN_ID>' but none was supplied"
    )
    assert refusal("--chain-id", "--nope").startswith("unexpected argument '--nope' found")
    assert refusal("--chain-id", "x", T_COUNT="-1") == (
        "invalid value '-1' for '--count <COUNT>': invalid digit found in string"
    )


@pytest.mark.parametrize("word", ["-h", "--help", "-V", "--version"])
def test_help_and_version_come_at_once(word: str) -> None:
    with pytest.raises(TextRequested) as caught:
        parse_arguments(PROGRAM, ["--chain-id", word, "--nope"], {})
    text = str(caught.value)
    assert text == ("tool 1" if word.lower() in ("-v", "--version") else help_text(PROGRAM))
    assert "[env: T_COUNT=] [default: 3]" in help_text(PROGRAM)


REPEATED = Program(
    name="tool gather",
    about="Gathers.",
    version_text=None,
    flags=(
        Flag("--file", parse_unsigned(8), "TOOL_FILES", "FILES", required=True, multiple=True),
        Flag("--key", env="TOOL_KEYS", metavar="KEYS", multiple=True),
    ),
)


@pytest.mark.parametrize(
    ("args", "environment", "files"),
    [
        (["--file", "1"], {}, (1,)),
        (["--file", "3,1", "--file=2"], {}, (3, 1, 2)),
        ([], {"TOOL_FILES": "5,6"}, (5, 6)),
        (["--file", "1"], {"TOOL_FILES": "5,6"}, (1,)),
    ],
)
def test_flags_that_may_be_repeated(args, environment, files):
    arguments = parse_arguments(REPEATED, args, environment)
    assert arguments["file"] == files
    assert arguments["key"] == ()


def test_one_bad_value_of_several_is_named():
    with pytest.raises(UsageError, match="invalid value '256' for '--file <FILES>'"):
        parse_arguments(REPEATED, ["--file", "1,256"], {})


def test_a_program_without_a_version_does_not_know_the_flag():
    with pytest.raises(UsageError, match="unexpected argument '--version' found"):
        parse_arguments(REPEATED, ["--version"], {})


def test_selecting_one_of_several_programs():
    programs = {"gather": REPEATED}
    assert select_program("tool", "Does it.", programs, ["gather", "--file"]) == (
        "gather",
        ["--file"],
    )
    with pytest.raises(TextRequested, match="gather"):
        select_program("tool", "Does it.", programs, ["--help"])
    for args in ([], ["other"], ["--gather"]):
        with pytest.raises(UsageError, match="Usage: tool <COMMAND>"):
            select_program("tool", "Does it.", programs, args)
