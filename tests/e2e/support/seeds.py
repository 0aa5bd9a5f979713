"""Random bytes of the tests: the same in every run, others with MCNODE_TEST_SEED."""

import os
import random

SEED = int(os.environ.get("MCNODE_TEST_SEED", "20261122"))


def random_bytes_of(name):
    """A source of its own for whoever asks, so that the order of tests does not matter."""
    return random.Random(f"{SEED} {name}").randbytes
