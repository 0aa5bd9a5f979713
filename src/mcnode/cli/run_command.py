"""Running a click command as a program: what all of our programs have in common.

Every one has `--help`, `--version` and `--debug`, and shows which environment variable stands for
which option. What goes wrong is one line on standard error and a status: 2 for bad input, 3 for
something that is not there now (a file, a port, a node), 130 when interrupted. A bug of ours keeps
its traceback; `--debug` shows it for the others too.
"""

import sys
from typing import Any

import click

import mcnode
from mcnode.errors import BugError, McNodeError, UnavailableError

EXIT_INVALID = 2
EXIT_UNAVAILABLE = 3
EXIT_INTERRUPTED = 130
"""As a shell reports a program that Ctrl-C ended."""


def run_command(command: click.Command, **options: Any) -> None:
    """Run `command` with this process's arguments, or with `options` of `Command.main`, and exit.

    The command's name is the program's, however it is started.

    Raises:
        SystemExit: always, with the status.
        BugError: a bug of ours.
    """
    complete(command)
    add_common_options(command)
    try:
        status = command.main(**{"prog_name": command.name, **options}, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        _say("interrupted")
        sys.exit(EXIT_INTERRUPTED)
    except BugError:
        raise
    except (McNodeError, OSError) as error:
        if "--debug" in sys.argv:
            raise
        _say(f"error: {describe(error)}")
        sys.exit(_status(error))
    sys.exit(status if isinstance(status, int) else 0)


def describe(error: McNodeError | OSError) -> str:
    """One line; of an operating system's error, the file and what is the matter with it."""
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror.lower()}"
    return str(error)


def complete(command: click.Command) -> click.Command:
    """Show environment variables in the help, and accept `-h`; for a group, of all its commands.

    In the overview of a group, a command's line is the whole first sentence of its help, which
    click would cut off.
    """
    command.context_settings.setdefault("help_option_names", ["-h", "--help"])
    for option in command.params:
        if isinstance(option, click.Option) and option.envvar:
            option.show_envvar = True
    if isinstance(command, click.Group):
        for each in command.commands.values():
            complete(each)
            each.short_help = each.short_help or _first_sentence(each.help or "")
    return command


def _first_sentence(text: str) -> str:
    paragraph = " ".join(text.partition("\n\n")[0].split())
    sentence, end, _ = paragraph.partition(". ")
    return sentence + end.strip()


def add_common_options(command: click.Command) -> None:
    """`--version` and `--debug`, where the command does not have them by itself."""
    present = {name for option in command.params for name in option.opts}
    if "--version" not in present:
        click.version_option(
            mcnode.__version__,
            "-V",
            "--version",
            prog_name=command.name,
            message="%(prog)s (mcnode %(version)s)",
        )(command)
    if "--debug" not in present:
        debug = click.Option(
            ["--debug"],
            is_flag=True,
            expose_value=False,
            help="Show the traceback of an error.",
        )
        command.params.append(debug)


def _status(error: McNodeError | OSError) -> int:
    return EXIT_UNAVAILABLE if isinstance(error, UnavailableError | OSError) else EXIT_INVALID


def _say(text: str) -> None:
    click.echo(text, err=True)
