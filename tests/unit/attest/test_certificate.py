"""Chains and revocation by this network's rules, with certificates made for each test."""

import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from mcnode.attest.certificate import (
    CHAIN_LENGTH_MAX,
    Certificate,
    ChainError,
    RevocationList,
    check_chain,
    parse_pem_chain,
)
from mcnode.attest.errors import InvalidContents

SHA256 = hashes.SHA256()
LONG_AGO = datetime.datetime(2001, 1, 1, tzinfo=datetime.UTC)
A_DAY = datetime.timedelta(days=1)


def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def key_usage(*, sign=True, crl=True):
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign,
        crl_sign=crl,
        encipher_only=False,
        decipher_only=False,
    )


class Issuer:
    """A name and a key; every certificate it makes expired in 2001."""

    def __init__(self, text, key=None):
        self.name = name(text)
        self.key = key or ec.generate_private_key(ec.SECP256R1())

    def issue(self, subject, *, ca=True, path_length=None, usage=True, serial=7, hash_=SHA256):
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject.name)
            .issuer_name(self.name)
            .public_key(subject.key.public_key())
            .serial_number(serial)
            .not_valid_before(LONG_AGO)
            .not_valid_after(LONG_AGO + A_DAY)
        )
        if ca is not None:
            constraints = x509.BasicConstraints(ca=ca, path_length=path_length)
            builder = builder.add_extension(constraints, critical=True)
        if usage:
            given = usage if isinstance(usage, x509.KeyUsage) else key_usage(sign=bool(ca))
            builder = builder.add_extension(given, critical=True)
        return Certificate.from_der(builder.sign(self.key, hash_).public_bytes(Encoding.DER))

    def revoke(self, *serials, signer=None):
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.name)
            .last_update(LONG_AGO)
            .next_update(LONG_AGO + A_DAY)
        )
        for serial in serials:
            entry = x509.RevokedCertificateBuilder().serial_number(serial)
            builder = builder.add_revoked_certificate(entry.revocation_date(LONG_AGO).build())
        made = builder.sign((signer or self).key, hashes.SHA256())
        return RevocationList.from_der(made.public_bytes(Encoding.DER))


ROOT, MIDDLE, LEAF, STRANGER = (Issuer(text) for text in ("root", "middle", "leaf", "stranger"))
ANCHOR = ROOT.issue(ROOT)
MIDDLE_CERTIFICATE = ROOT.issue(MIDDLE, serial=2)
LEAF_CERTIFICATE = MIDDLE.issue(LEAF, ca=False, serial=3)
CHAIN = (LEAF_CERTIFICATE, MIDDLE_CERTIFICATE, ANCHOR)


def accepted(chain, *lists, anchor=ANCHOR):
    try:
        check_chain(chain, anchor, lists)
    except ChainError:
        return False
    return True


def test_chains_that_lead_to_the_anchor():
    assert accepted(CHAIN)
    assert accepted(CHAIN[:2])
    assert accepted((ANCHOR,))
    assert accepted((MIDDLE_CERTIFICATE,))
    assert accepted((LEAF_CERTIFICATE, STRANGER.issue(STRANGER), MIDDLE_CERTIFICATE))
    again = ROOT.issue(ROOT, serial=99)  # another certificate of the same name and key
    assert accepted((LEAF_CERTIFICATE, MIDDLE_CERTIFICATE, again))


def test_chains_that_do_not():
    assert not accepted(())
    assert not accepted((LEAF_CERTIFICATE,))
    assert not accepted((LEAF_CERTIFICATE, ANCHOR))
    assert not accepted(CHAIN, anchor=STRANGER.issue(STRANGER))
    impostor = Issuer("root")
    assert not accepted(CHAIN, anchor=impostor.issue(impostor))
    assert not accepted((STRANGER.issue(LEAF), MIDDLE_CERTIFICATE))


def test_parents_stand_behind_their_children():
    deep = Issuer("deep")
    second = MIDDLE.issue(deep, serial=4)
    leaf = deep.issue(LEAF, ca=False)
    assert accepted((leaf, second, MIDDLE_CERTIFICATE))
    assert not accepted((leaf, MIDDLE_CERTIFICATE, second))


@pytest.mark.parametrize(
    "middle",
    [
        {"ca": False},
        {"ca": None, "usage": False},
        {"usage": key_usage(sign=False)},
    ],
    ids=["no authority", "no constraints", "may not sign"],
)
def test_parents_that_may_not_sign(middle):
    assert not accepted((LEAF_CERTIFICATE, ROOT.issue(MIDDLE, **middle)))


def test_path_length():
    anchor = ROOT.issue(ROOT, path_length=0)
    assert not accepted(CHAIN, anchor=anchor)
    assert accepted((MIDDLE_CERTIFICATE,), anchor=anchor)
    assert accepted(CHAIN, anchor=ROOT.issue(ROOT, path_length=1))


def test_weak_algorithms():
    small = Issuer("root", rsa.generate_private_key(65537, 1024))
    assert not accepted((small.issue(LEAF),), anchor=small.issue(small))
    good = Issuer("root", rsa.generate_private_key(65537, 2048))
    assert accepted((good.issue(LEAF),), anchor=good.issue(good))
    for hash_, verdict in ((hashes.SHA384(), True), (hashes.SHA224(), False)):
        assert accepted((ROOT.issue(LEAF, hash_=hash_),)) is verdict


def test_revocation():
    assert accepted(CHAIN, ROOT.revoke(77), MIDDLE.revoke(77))
    assert not accepted(CHAIN, MIDDLE.revoke(77, 3))
    assert not accepted(CHAIN, ROOT.revoke(2))
    # A list counts only for certificates of its own issuer.
    assert accepted(CHAIN, ROOT.revoke(3), MIDDLE.revoke(2), STRANGER.revoke(2, 3))


def test_revocation_list_must_be_signed_by_its_issuer():
    assert not accepted(CHAIN, MIDDLE.revoke(77, signer=STRANGER))
    silent = ROOT.issue(MIDDLE, usage=key_usage(crl=False))
    assert accepted((LEAF_CERTIFICATE, silent))
    assert not accepted((LEAF_CERTIFICATE, silent), MIDDLE.revoke(77))


def test_names_compare_without_letter_case():
    shouting = Issuer("ROOT", ROOT.key)
    assert accepted((shouting.issue(LEAF),))


@pytest.mark.parametrize("cut", [0, 1, 10, 100, -1])
def test_certificates_that_do_not_parse(cut):
    with pytest.raises(InvalidContents):
        Certificate.from_der(ANCHOR.der[:cut])
    with pytest.raises(InvalidContents):
        Certificate.from_der(ANCHOR.der + b"\0")
    with pytest.raises(InvalidContents):
        Certificate.from_der(ANCHOR.der + bytes(20_000))


def test_keys_of_another_kind():
    other = Issuer("leaf", ed25519.Ed25519PrivateKey.generate())
    with pytest.raises(InvalidContents):
        ROOT.issue(other).public_key()


def pem(*certificates):
    loaded = (x509.load_der_x509_certificate(c.der) for c in certificates)
    return b"".join(c.public_bytes(Encoding.PEM) for c in loaded)


def test_pem_chains():
    text = pem(*CHAIN)
    assert parse_pem_chain(text) == CHAIN
    assert parse_pem_chain(b"comment\n" + text.replace(b"\n", b"\r\n") + b"\0") == CHAIN
    for bad in (b"", b"garbage", text[:60], pem(*(ANCHOR,) * (CHAIN_LENGTH_MAX + 1))):
        with pytest.raises(InvalidContents):
            parse_pem_chain(bad)
