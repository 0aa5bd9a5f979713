"""Files of somebody else are read up to a limit, and must be text where text is asked for."""

from pathlib import Path

import pytest

from mcnode.files import UnfitFileError, read_bytes, read_text


def test_a_file_of_the_limit_is_read_whole(tmp_path):
    path = tmp_path / "file"
    path.write_bytes("añ".encode())
    assert read_bytes(path, 3) == "añ".encode()
    assert read_text(path, 3) == "añ"


@pytest.mark.parametrize("read", [read_bytes, read_text])
def test_a_longer_one_is_refused(tmp_path, read):
    path = tmp_path / "file"
    path.write_bytes(b"1234")
    with pytest.raises(UnfitFileError, match="file has more than 3 bytes"):
        read(path, 3)


def test_an_endless_one_is_not_read_to_its_end():
    with pytest.raises(UnfitFileError, match="/dev/zero has more than 4096 bytes"):
        read_bytes(Path("/dev/zero"), 4096)


def test_what_is_no_text_is_refused(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"ab\xff")
    with pytest.raises(UnfitFileError, match=r"file is not UTF-8: .* position 2"):
        read_text(path, 10)


def test_what_cannot_be_read_is_the_systems_own_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_bytes(tmp_path / "nowhere", 10)
