"""Texts from outside give a value or one of the documented errors, never anything else."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mcnode.connection.auth_token import (
    AuthenticationError,
    BasicCredentials,
    TokenAuthenticator,
    make_token,
    parse_authorization_header,
)
from mcnode.connection.uri import CLIENT, PEER, ConsensusMsgKeyError, UriError, parse_uri
from mcnode.connection.url import UrlSyntaxError, parse_url
from mcnode.consensus.config.arguments import TextRequested, UsageError
from mcnode.consensus.config.documents import parse_json
from mcnode.consensus.config.errors import ConfigError
from mcnode.consensus.config.network_file import parse_network
from mcnode.consensus.config.node import NODE_FLAGS, read_node_config
from mcnode.consensus.config.tokens_file import parse_tokens
from mcnode.scp.types import NodeID

OWN = NodeID("own:1", bytes(32))
URL_PIECES = st.one_of(
    st.sampled_from(["mc", "insecure-mcp", "//", "::1", "80", "%41", "%ff", "..", "\ud800"]),
    st.sampled_from(":/?#@[]h.=&+ \u00fc"),
    st.just("consensus-msg-key"),
)
URL_TEXTS = st.one_of(st.text(), st.lists(URL_PIECES, max_size=12).map("".join))

KEYS = st.one_of(
    st.sampled_from(["quorum_set", "threshold", "members", "type", "args", "broadcast_peers"]),
    st.sampled_from(["tx_source_urls", "known_peers", "tokens", "token_id", "minimum_fee"]),
    st.sampled_from(["governors", "signer_identities", "name", "signers", "pub_key"]),
    st.sampled_from(["governors_signature", "allow_any_fee"]),
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 1 << 65),
    st.sampled_from(["Node", "InnerSet", "Single", "MultiSig", "Identity", "a:1", "mcp://h/", ""]),
)
DOCUMENTS: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=6)),
    max_leaves=20,
)


@given(URL_TEXTS)
def test_a_normalised_url_is_its_own_normal_form(text: str) -> None:
    try:
        normal = parse_url(text).to_text()
    except UrlSyntaxError:
        return
    assert parse_url(normal).to_text() == normal


@given(URL_TEXTS)
def test_uris(text: str) -> None:
    for kind in (CLIENT, PEER):
        try:
            uri = parse_uri(text, kind)
        except UriError:
            continue
        assert uri.host
        assert 0 <= uri.port < 65536
        assert parse_uri(uri.url, kind) == uri
        try:
            uri.consensus_msg_key()
        except ConsensusMsgKeyError:
            continue


@given(st.one_of(st.text(), st.binary(), st.binary().map(lambda b: b"Basic " + b)))
def test_authorization_headers(value: str | bytes) -> None:
    try:
        credentials = parse_authorization_header(value)
    except AuthenticationError:
        return
    assert parse_authorization_header(credentials.to_header()) == credentials


@given(st.text(alphabet="ab:09f+-\u0663 ", max_size=40))
def test_passwords(password: str) -> None:
    gate = TokenAuthenticator(bytes(32), 10)
    try:
        user = gate.authenticate(BasicCredentials("a", password), 9)
    except AuthenticationError:
        return
    raise AssertionError(f"{user} got in with {password!r}")


@given(
    st.text(alphabet=st.characters(codec="utf-8", exclude_characters=":")), st.integers(0, 1 << 62)
)
def test_tokens_open_the_door_they_were_made_for(username: str, now: int) -> None:
    made = make_token(bytes(32), username, now)
    assert TokenAuthenticator(bytes(32), 1).authenticate(made, now) == username


@given(DOCUMENTS)
def test_network_files(document: Any) -> None:
    try:
        network = parse_network(parse_json(json.dumps(document)))
        network.check(OWN.responder_id)
        network.resolve_quorum_set(OWN)
    except ConfigError:
        return


@given(DOCUMENTS)
def test_tokens_files(document: Any) -> None:
    try:
        tokens = parse_tokens(parse_json(json.dumps(document)))
        tokens.check()
        tokens.fee_map()
        tokens.governors_map()
    except ConfigError:
        return
    assert parse_tokens(parse_json(tokens.to_json_text())) == tokens


@given(
    st.lists(
        st.one_of(
            st.sampled_from([flag.name for flag in NODE_FLAGS]), st.text(max_size=8), URL_TEXTS
        ),
        max_size=8,
    )
)
def test_command_lines(args: list[str]) -> None:
    try:
        read_node_config(args, {})
    except (UsageError, TextRequested) as error:
        assert str(error)
