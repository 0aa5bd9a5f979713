"""`mc-util-grpc-token-generator`: passwords for nodes with client tokens."""

import time
from collections.abc import Mapping, Sequence

from mcnode.cli.run_program import run_program
from mcnode.consensus.config.token_generator import generate_text


def grpc_token_generator(args: Sequence[str], environment: Mapping[str, str]) -> int:
    """Print user name and password."""
    print(generate_text(args, environment, int(time.time())), end="")
    return 0


def main() -> None:
    """Entry point."""
    run_program(grpc_token_generator)


if __name__ == "__main__":
    main()
