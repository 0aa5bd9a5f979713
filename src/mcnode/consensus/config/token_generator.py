"""`mc-util-grpc-token-generator`: a password for a node with client tokens.
[docs/protocol/service.md#13]
"""

from collections.abc import Mapping, Sequence
from typing import Final

from mcnode.connection.auth_token import SECRET_BYTES, make_token, percent_encode_password
from mcnode.consensus.config.arguments import Flag, Program, parse_arguments
from mcnode.consensus.config.values import parse_hex

PROGRAM: Final = Program(
    name="mc-util-grpc-token-generator",
    about="Make the password of a user of a node that asks its clients for tokens.",
    version_text="mc-util-grpc-token-generator 7.0.0",
    flags=(
        Flag(
            "--shared-secret",
            parse_hex(SECRET_BYTES),
            "MC_SHARED_SECRET",
            required=True,
            help="what the node was given as --client-auth-token-secret: 32 bytes hex",
        ),
        Flag("--username", env="MC_USERNAME", required=True, help="whose password to make"),
    ),
    closing="Example, with the secret in MC_SHARED_SECRET:\n"
    "  mc-util-grpc-token-generator --username alice",
)


def generate_text(args: Sequence[str], environment: Mapping[str, str], unix_time_s: int) -> str:
    """What the program prints for a command line at a time.

    Raises:
        UsageError, TextRequested: see `parse_arguments`.
    """
    arguments = parse_arguments(PROGRAM, args, environment)
    credentials = make_token(arguments["shared_secret"], arguments["username"], unix_time_s)
    return (
        f"Username: {credentials.username}\n"
        f"Password: {credentials.password}\n"
        f"Password (percent-encoded): {percent_encode_password(credentials.password)}\n"
    )
