"""`mcnode sign-governors`: the minting trust root's signature on a tokens file.

[docs/protocol/service.md#16.2]
"""

from collections.abc import Mapping, Sequence

from mcnode.cli.run_program import run_program
from mcnode.consensus.config.sign_governors import sign_governors
from mcnode.errors import UnavailableError


class CannotWrite(UnavailableError):
    """The signed file cannot be written."""


def sign_governors_program(args: Sequence[str], environment: Mapping[str, str]) -> int:
    """Print the signature, and write the signed file if asked to."""
    signed = sign_governors(args, environment)
    print(f"Signature: {signed.signature.hex()}")
    if signed.output_path is not None:
        try:
            signed.output_path.write_text(signed.tokens.to_json_text())
        except OSError as error:
            raise CannotWrite(f"cannot write {signed.output_path}: {error.strerror}") from error
        print(f"Wrote {signed.output_path}")
    return 0


def main() -> None:
    """Entry point."""
    run_program(sign_governors_program)


if __name__ == "__main__":
    main()
