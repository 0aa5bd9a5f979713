"""Running a program whose flags are read the way the network's programs read them."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence

from mcnode.consensus.config.arguments import TextRequested, UsageError
from mcnode.errors import BugError, McNodeError, UnavailableError

EXIT_FAILED = 1
EXIT_UNAVAILABLE = 3

Program = Callable[[Sequence[str], Mapping[str, str]], int]
"""From the command line without its name, and the environment, to the exit status."""


def run_program(program: Program) -> None:
    """Run and exit. An error is its message on stderr, never a traceback, except for our bugs.

    Errors with an `exit_code` end with that status.
    """
    try:
        status = program(sys.argv[1:], os.environ)
    except TextRequested as text:
        print(text)
        status = 0
    except UsageError as error:
        print(error, file=sys.stderr)
        status = error.exit_code
    except BugError:
        raise
    except McNodeError as error:
        print(f"error: {error}", file=sys.stderr)
        default = EXIT_UNAVAILABLE if isinstance(error, UnavailableError) else EXIT_FAILED
        status = getattr(error, "exit_code", None) or default
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)
