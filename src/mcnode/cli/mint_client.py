"""`mc-consensus-mint-client`: mint configurations, mint transactions and their signatures.

[docs/protocol/service.md#16.2]
"""

import os
from collections.abc import Mapping, Sequence

from mcnode.cli.run_program import run_program
from mcnode.wallet.minting.client import MintClient, connect_node


def mint_client_program(args: Sequence[str], environment: Mapping[str, str]) -> int:
    """Do what the command line says."""
    return MintClient(print, connect_node, os.urandom).run(args, environment)


def main() -> None:
    """Entry point."""
    run_program(mint_client_program)


if __name__ == "__main__":
    main()
