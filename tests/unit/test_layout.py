"""The package says who it is."""

import mcnode


def test_version_is_a_release_number() -> None:
    assert mcnode.__version__.count(".") == 2
