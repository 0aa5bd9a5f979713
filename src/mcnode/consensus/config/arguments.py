"""Command lines the way the network's programs read them. [docs/protocol/service.md#3]

Scripts and people know these programs' flags, their environment twins and the texts with which they
refuse; click words all of it differently, so the reader is ours. A program is a table of `Flag`s.
Left to right over the command line, the first fault wins; then the environment fills what is not
given; then required flags are looked for.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from mcnode.errors import InvalidError, McNodeError

USAGE_EXIT_CODE: Final = 2
TRY_HELP: Final = "For more information, try '--help'."
_SIMILARITY_MIN: Final = 0.7
"""Of a mistyped flag to a known one, for a hint."""


class UsageError(InvalidError):
    """The command line is not understood. The message is all of what goes to stderr."""

    exit_code = USAGE_EXIT_CODE


class TextRequested(McNodeError):
    """`--help` or `--version`: the message goes to stdout, and the program ends with status 0."""


class EmptyValueError(InvalidError):
    """Raised by a value's parser to say that an empty value counts as none."""


@dataclasses.dataclass(frozen=True, slots=True)
class Flag:
    """One option with a value. `parse` raises `InvalidError` with the text to show."""

    name: str
    """With its dashes."""
    parse: Callable[[str], Any] = str
    env: str | None = None
    metavar: str | None = None
    required: bool = False
    default: str | None = None
    help: str = ""
    obsolete: bool = False
    """Understood, but neither listed nor hinted at."""
    multiple: bool = False
    """May be given several times, each time with several values between commas; gives a tuple."""

    @property
    def usage(self) -> str:
        """`--flag <METAVAR>`."""
        metavar = self.metavar or self.name.removeprefix("--").replace("-", "_").upper()
        return f"{self.name} <{metavar}>"

    @property
    def key(self) -> str:
        """The name under which the value is found: `chain_id` for `--chain-id`."""
        return self.name.removeprefix("--").replace("-", "_")


@dataclasses.dataclass(frozen=True, slots=True)
class Program:
    """A program's command line."""

    name: str
    about: str
    version_text: str | None
    """None: there is no `--version`."""
    flags: tuple[Flag, ...]
    closing: str = ""
    """What the help ends with: an example, the meaning of a status."""


@dataclasses.dataclass(frozen=True, slots=True)
class Arguments:
    """Values by key; absent ones are None. `given` has the keys not left to their default."""

    values: Mapping[str, Any] = dataclasses.field(repr=False)
    given: frozenset[str]

    def __getitem__(self, key: str) -> Any:
        return self.values[key]


def parse_arguments(
    program: Program, args: Sequence[str], environment: Mapping[str, str]
) -> Arguments:
    """Read `args` (without the program's name).

    Raises:
        UsageError: see its message.
        TextRequested: help or version was asked for.
    """
    texts = _Scan(program).scan(args)
    values: dict[str, Any] = {key: value for key, (_, value) in texts.items()}
    for flag in program.flags:
        if flag.key not in values and flag.env is not None and flag.env in environment:
            values[flag.key] = _parse_value(flag, environment[flag.env])
    given = frozenset(values)
    missing = [flag for flag in program.flags if flag.required and flag.key not in given]
    if missing:
        lines = "\n".join(f"  {flag.usage}" for flag in missing)
        raise _error(
            f"the following required arguments were not provided:\n{lines}",
            usage_line(program, with_options=False),
        )
    for flag in program.flags:
        if flag.key not in values:
            values[flag.key] = _default(flag)
    return Arguments(values, given)


def _default(flag: Flag) -> Any:
    if flag.default is not None:
        return _parse_value(flag, flag.default)
    return () if flag.multiple else None


class _Scan:
    """One pass over a command line."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._by_name = {flag.name: flag for flag in program.flags}
        self._found: dict[str, tuple[Flag, Any]] = {}

    def scan(self, args: Sequence[str]) -> dict[str, tuple[Flag, Any]]:
        remaining = list(reversed(args))
        while remaining:
            word = remaining.pop()
            name, equals, value = word.partition("=")
            self._show_text(word)
            flag = self._by_name.get(name)
            if flag is None:
                raise self._unexpected(name if name.startswith("--") else word)
            if not equals:
                value = self._next_value(flag, remaining)
            if flag.key in self._found and not flag.multiple:
                raise _error(
                    f"the argument '{flag.usage}' cannot be used multiple times",
                    usage_line(self._program),
                )
            self._note(flag, _parse_value(flag, value))
        return self._found

    def _note(self, flag: Flag, value: Any) -> None:
        _, earlier = self._found.get(flag.key, (flag, ()))
        self._found[flag.key] = (flag, (*earlier, *value) if flag.multiple else value)

    def _show_text(self, word: str) -> None:
        if word in ("-h", "--help"):
            raise TextRequested(help_text(self._program))
        if self._program.version_text is not None and word in ("-V", "--version"):
            raise TextRequested(self._program.version_text)

    def _next_value(self, flag: Flag, remaining: list[str]) -> str:
        """The next word, unless it looks like a flag: values with a dash need the `=` form."""
        following = remaining[-1] if remaining else None
        if following is not None and (following == "-" or not following.startswith("-")):
            return remaining.pop()
        if following is not None and following.partition("=")[0] not in self._by_name:
            self._show_text(following)
            raise self._unexpected(following.partition("=")[0])
        raise _value_required(flag)

    def _unexpected(self, word: str) -> UsageError:
        hint = self._similar(word)
        message = f"unexpected argument '{word}' found"
        if hint is not None:
            message += f"\n\n  tip: a similar argument exists: '{hint.name}'"
            return _error(message, usage_line(self._program, with_options=False, and_flag=hint))
        if self._found:
            return _error(message, _all_flags_line(self._program))
        return _error(message, usage_line(self._program))

    def _similar(self, word: str) -> Flag | None:
        if not word.startswith("--"):
            return None
        scored = [
            (_jaro(word.removeprefix("--"), flag.name.removeprefix("--")), flag)
            for flag in self._program.flags
            if not flag.obsolete
        ]
        score, best = max(scored, key=lambda pair: pair[0], default=(0.0, None))
        return best if score > _SIMILARITY_MIN else None


def _parse_value(flag: Flag, text: str) -> Any:
    """The value, or for a flag that may be repeated, a tuple of those between the commas."""
    if flag.multiple:
        return tuple(_parse_one(flag, part) for part in text.split(","))
    return _parse_one(flag, text)


def _parse_one(flag: Flag, text: str) -> Any:
    try:
        return flag.parse(text)
    except EmptyValueError:
        raise _value_required(flag) from None
    except InvalidError as error:
        raise _error(f"invalid value '{text}' for '{flag.usage}': {error}") from error


def _value_required(flag: Flag) -> UsageError:
    return _error(f"a value is required for '{flag.usage}' but none was supplied")


def _error(message: str, usage: str | None = None) -> UsageError:
    parts = [f"error: {message}", *([usage] if usage else []), TRY_HELP]
    return UsageError("\n\n".join(parts))


def select_program(
    name: str, about: str, programs: Mapping[str, Program], args: Sequence[str]
) -> tuple[str, Sequence[str]]:
    """For a program that is several in one: the name of the one meant, and its own arguments.

    Raises:
        UsageError: none is named, or one that does not exist.
        TextRequested: help was asked for.
    """
    usage = f"Usage: {name} <COMMAND>"
    width = max(map(len, programs)) + 2
    listed = [f"  {each:<{width}}{program.about}" for each, program in programs.items()]
    overview = "\n".join([about, "", usage, "", "Commands:", *listed])
    if not args:
        raise UsageError(overview)
    word = args[0]
    if word in ("-h", "--help", "help"):
        raise TextRequested(overview)
    if word.startswith("-"):
        raise _error(f"unexpected argument '{word.partition('=')[0]}' found", usage)
    if word not in programs:
        raise _error(f"unrecognized subcommand '{word}'", usage)
    return word, args[1:]


def _shown(program: Program) -> list[Flag]:
    return [flag for flag in program.flags if not flag.obsolete]


def usage_line(program: Program, *, with_options: bool = True, and_flag: Flag | None = None) -> str:
    """`Usage: …` with the required flags, and `and_flag` whether it is required or not."""
    flags = [flag.usage for flag in _shown(program) if flag.required or flag is and_flag]
    has_options = any(not flag.required for flag in _shown(program))
    options = ["[OPTIONS]"] if with_options and has_options else []
    return " ".join(["Usage:", program.name, *options, *flags])


def _all_flags_line(program: Program) -> str:
    flags = "|".join(flag.usage for flag in _shown(program))
    return f"Usage: {program.name} <{flags}>"


def help_text(program: Program) -> str:
    """What `--help` prints."""
    lines = [program.about, "", usage_line(program), "", "Options:"]
    for flag in _shown(program):
        lines.append(f"      {flag.usage}")
        remarks = [flag.help] if flag.help else []
        if flag.env is not None:
            remarks.append(f"[env: {flag.env}=]")
        if flag.default is not None:
            remarks.append(f"[default: {flag.default}]")
        lines += ["          " + " ".join(remarks), ""]
    lines += ["  -h, --help", "          Print help"]
    if program.version_text is not None:
        lines += ["", "  -V, --version", "          Print version"]
    if program.closing:
        lines += ["", program.closing]
    return "\n".join(lines)


def _jaro(left: str, right: str) -> float:
    """Jaro similarity, 0 to 1: matching characters near each other, less transpositions."""
    if not left or not right:
        return float(left == right)
    window = max(len(left), len(right)) // 2 - 1
    taken = [False] * len(right)
    matched_left: list[str] = []
    for position, character in enumerate(left):
        for other in range(max(0, position - window), min(len(right), position + window + 1)):
            if not taken[other] and right[other] == character:
                taken[other] = True
                matched_left.append(character)
                break
    if not matched_left:
        return 0.0
    matched_right = [character for character, used in zip(right, taken, strict=True) if used]
    swaps = sum(a != b for a, b in zip(matched_left, matched_right, strict=True)) / 2
    count = len(matched_left)
    return (count / len(left) + count / len(right) + (count - swaps) / count) / 3
