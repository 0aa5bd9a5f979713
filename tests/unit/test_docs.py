"""What the documents say exists: links, sections, pages, programs and their flags, make targets."""

import contextlib
import importlib
import io
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from mcnode.cli import run_command

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "src" / "mcnode"
SCRIPTS: dict[str, str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]


def pages() -> list[Path]:
    folders = ("docs", "tests", "proto", "requirements", "native", "bench", "deploy")
    below = [page for folder in folders for page in (ROOT / folder).rglob("*.md")]
    return sorted(page for page in [*ROOT.glob("*.md"), *below] if "target" not in page.parts)


def without_code(text: str) -> str:
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))


def anchors(page: Path) -> set[str]:
    """As they are made from headings: lower case, punctuation dropped, blanks to dashes."""
    titles = re.findall(r"^#+ +(.*)$", page.read_text(), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", without_code(page.read_text())):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), target
        assert linked.is_relative_to(ROOT), target
        if anchor:
            assert anchor in anchors(linked), target


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text()
    linked = {(ROOT / "docs" / each).resolve() for each in re.findall(r"\]\(([^)]+)\)", index)}
    for page in (ROOT / "docs").rglob("*.md"):
        if page.parent.name != "adr" and page.name != "README.md":
            assert page in linked, f"{page.relative_to(ROOT)} is not in docs/README.md"


def test_decisions_have_a_number_of_their_own_and_are_listed() -> None:
    folder = ROOT / "docs" / "adr"
    index = (folder / "README.md").read_text()
    decisions = sorted(path for path in folder.glob("*.md") if path.name != "README.md")
    for number, path in enumerate(decisions, start=1):
        title = path.read_text().splitlines()[0]
        assert path.name.startswith(f"{number:04d}-")
        assert title.startswith(f"# {number}. ")
        line = f"| {number} | [{title.removeprefix(f'# {number}. ')}]({path.name}) |"
        assert line in index


def test_pages_and_sections_that_the_code_cites_exist() -> None:
    sections = {
        page.name: set(re.findall(r"^#+ (\d+(?:\.\d+)*)\.? ", page.read_text(), flags=re.M))
        for page in [*(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "protocol").glob("*.md")]
    }
    wrong = []
    sources = [each for kind in ("*.py", "*.pyi") for each in SOURCES.rglob(kind)]
    for source in [*sources, *(ROOT / "native" / "src").rglob("*.rs")]:
        text = source.read_text()
        where = source.relative_to(ROOT)
        for page in re.findall(r"docs/[\w/-]+\.md", text):
            if not (ROOT / page).exists():
                wrong.append(f"{where}: {page}")
        for page, section in re.findall(r"([\w-]+\.md)#(\d+(?:\.\d+)*)", text):
            if section not in sections.get(page, ()):
                wrong.append(f"{where}: {page}#{section}")
    assert wrong == []


def test_architecture_is_true_to_the_tree() -> None:
    text = (ROOT / "docs" / "dev" / "architecture.md").read_text()
    table = dict(re.findall(r"^\| `(\w+)` \| .* \| `([\w./]+)`.* \|$", text, flags=re.M))
    rooms = {path.name for path in SOURCES.iterdir() if (path / "__init__.py").exists()}
    rooms |= {path.stem for path in SOURCES.glob("*.py") if path.stem != "__init__"}
    assert set(table) == rooms
    for room, start in table.items():
        assert (SOURCES / room / start).exists() or (SOURCES / start).exists(), (room, start)
    lives = text[text.index("## The life of a payment") :]
    named = re.findall(r"`([a-z_]+/[\w/]+\.py)`", lives)
    assert len(named) > 20
    assert [each for each in named if not (SOURCES / each).exists()] == []


# ---- programs -----------------------------------------------------------------------------------


def help_of(name: str, *words: str) -> str:
    """What `name words… --help` prints; it must end well."""
    module, function = SCRIPTS[name].split(":")
    program = getattr(importlib.import_module(module), function)
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(printed):
        patch.setattr("sys.argv", [name, *words, "--help"])
        try:
            program()
        except SystemExit as end:
            assert end.code in (0, None), (name, words)
    return printed.getvalue()


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_program_has_a_help(name: str) -> None:
    text = help_of(name)
    assert f"Usage: {name} " in text
    assert "--help" in text or "Commands:" in text
    about = [line for line in text.splitlines() if line and not line.startswith("Usage:")]
    assert about[0].strip().endswith((".", ":")) or len(about[0]) > 30


def test_every_command_has_a_help_and_a_line_for_each_option() -> None:
    from mcnode.cli.main import cli

    missing = [
        f"{' '.join(path)} {option.opts[0]}"
        for path, command in commands(click.Context(cli), cli, ("mcnode",))
        for option in command.params
        if isinstance(option, click.Option) and not option.help
    ]
    assert missing == []


def commands(
    context: click.Context, command: click.Command, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    assert command.help, path
    yield path, run_command.complete(command)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            each = command.get_command(context, name)
            assert each is not None
            yield from commands(context, each, (*path, name))


def shown_commands(page: Path) -> Iterator[list[str]]:
    """Command lines of ours in a page's fenced blocks and code spans, as words."""
    text = page.read_text()
    fenced = re.findall(r"^```(?:sh|bash|console)?\n(.*?)^```", text, flags=re.M | re.S)
    lines = [line for block in fenced for line in block.replace("\\\n", " ").splitlines()]
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))
    for line in [*lines, *spans]:
        for part in re.split(r"\||&&|;|\$\(|<<", line.split(" # ")[0]):
            words = words_of(part.strip().removeprefix("$ ").rstrip(")"))
            while words and re.fullmatch(r"\w+=.*", words[0]):
                words = words[1:]
            if words and (words[0] in SCRIPTS or words[0] == "make"):
                yield words


def words_of(line: str) -> list[str]:
    try:
        return shlex.split(line, comments=True)
    except ValueError:
        return line.split()


DOCUMENTS = [page for page in pages() if "protocol" not in page.parts]


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: str(page.relative_to(ROOT)))
def test_command_lines_name_what_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.M))
    for words in shown_commands(page):
        if words[0] == "make":
            named = [word for word in words[1:] if re.fullmatch(r"[a-z][a-z-]*", word)]
            assert set(named) <= targets, words
        else:
            check_command_line(words)


def check_command_line(words: list[str]) -> None:
    """Sub-commands and options exist, as far as a line names any."""
    path, rest = [words[0]], words[1:]
    text = help_of(words[0])
    for word in list(rest):
        if word.startswith("-") and word != "--debug":
            break
        if not re.search(rf"^  {re.escape(word)}\b", text[text.find("Commands:") :], flags=re.M):
            is_group = "\nCommands:" in text and re.fullmatch(r"[a-z][a-z-]+", word)
            assert not is_group, f"{' '.join(path)} has no {word}"
            break
        path.append(word)
        rest = rest[1:]
        text = help_of(*path)
    known = set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", text))
    for word in rest:
        option = word.partition("=")[0]
        if re.fullmatch(r"--[a-z][\w-]*|-[a-z]", option):
            assert option in known, f"{' '.join(path)} has no {option}"
