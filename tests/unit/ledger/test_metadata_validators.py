"""Lists of keys and the blocks they may sign metadata for."""

import json

import pytest

from mcnode.crypto.der import public_key_to_pem
from mcnode.crypto.keys import Ed25519Private
from mcnode.ledger import metadata_validators as mv

KEY = Ed25519Private(bytes([3]) * 32).public_key()
HEX = str(KEY)


def write(folder, name: str, text: str):
    path = folder / name
    path.write_text(text)
    return path


def listed(**fields) -> str:
    return json.dumps({"node": [{"pub_key": HEX, "first_block_index": 0} | fields]})


def test_ranges_of_a_key_add_up(tmp_path):
    text = "".join(
        f'[[node]]\npub_key = "{HEX}"\nfirst_block_index = {first}\nlast_block_index = {last}\n'
        for first, last in ((0, 4), (10, 12), (30, 20))
    )
    validator = mv.load_metadata_validator(write(tmp_path, "keys.toml", text))
    for index in (0, 4, 10, 12):
        validator.check_key(KEY.to_bytes(), index)
    for index in (5, 13, 25):
        with pytest.raises(mv.InvalidPubKey, match=f"block {index}"):
            validator.check_key(KEY.to_bytes(), index)
    with pytest.raises(mv.UnknownPubKey):
        validator.check_key(bytes(32), 0)


@pytest.mark.parametrize("form", ["hex", "upper", "pem", "file"])
def test_forms_of_a_key(tmp_path, form):
    write(tmp_path, "k.pem", public_key_to_pem(KEY))
    forms = {
        "hex": HEX,
        "upper": f" {HEX.upper()} ",
        "pem": public_key_to_pem(KEY),
        "file": "k.pem",
    }
    path = write(tmp_path, "keys.json", listed(pub_key=forms[form]))
    assert list(mv.load_metadata_validator(path).ranges) == [KEY.to_bytes()]


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        ("k.yaml", "", mv.UnrecognizedExtension),
        ("k.toml", "[[node", mv.InvalidToml),
        ("k.json", "{", mv.InvalidJson),
        ("k.json", "[]", mv.InvalidJson),
        ("k.json", "{}", mv.InvalidJson),
        ("k.json", '{"node": [], "configs": []}', mv.InvalidJson),
        ("k.json", listed(first_block_index=-1), mv.InvalidJson),
        ("k.json", listed(first_block_index=True), mv.InvalidJson),
        ("k.json", listed(pub_key="00"), mv.InvalidPubKeyValue),
        ("k.json", listed(pub_key="g" * 64), mv.InvalidHex),
        ("k.json", listed(pub_key="02" + "00" * 31), mv.InvalidKey),
        ("k.json", listed(pub_key=""), mv.FileUnreadable),
    ],
)
def test_what_is_wrong_has_a_class(tmp_path, name, text, error):
    with pytest.raises(error):
        mv.load_metadata_validator(write(tmp_path, name, text))


def test_the_signature_is_checked_after_the_key(chain, tmp_path):
    import dataclasses

    chain.next()
    metadata = chain.next(version=3).metadata
    path = write(tmp_path, "k.json", listed(pub_key=metadata.node_key.hex()))
    validator = mv.load_metadata_validator(path)
    validator.check_metadata(metadata, 1)
    with pytest.raises(mv.MetadataSignature):
        validator.check_metadata(dataclasses.replace(metadata, signature=bytes(64)), 1)
