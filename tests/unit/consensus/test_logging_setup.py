import contextlib
import io
import json
import logging
import socket
from collections.abc import Iterator

import pytest
import structlog

from mcnode.consensus.logging_setup import (
    UDP_RECORD_BYTES_MAX,
    LogConfigError,
    Logs,
    LogSettings,
    parse_filter,
    start_logging,
)


@contextlib.contextmanager
def running(settings: LogSettings) -> Iterator[tuple[Logs, io.StringIO]]:
    before = logging.getLogger().level
    stream = io.StringIO()
    logs = start_logging(settings, {"mc.local_node_id": "a:1"}, stream)
    try:
        yield logs, stream
    finally:
        logs.close()
        logging.getLogger().setLevel(before)


def records(stream: io.StringIO) -> list[dict[str, str]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_settings_from_the_environment() -> None:
    assert LogSettings.from_environment({}) == LogSettings()
    settings = LogSettings.from_environment(
        {
            "MC_LOG": "debug",
            "RUST_LOG": "warn,x=trace",
            "MC_LOG_JSON": "1",
            "MC_LOG_STDERR": "1",
            "MC_LOG_UDP_JSON": "[::1]:900",
            "MC_LOG_EXTRA_CONTEXT": "a=b,c=d=e",
        }
    )
    assert settings == LogSettings("warn,x=trace", True, True, ("::1", 900), {"a": "b", "c": "d=e"})
    assert LogSettings.from_environment({"MC_LOG": "debug"}).filter_text == "debug"


@pytest.mark.parametrize(
    "environment",
    [
        {"RUST_LOG": "mcnode=loud"},
        {"MC_LOG_UDP_JSON": "host"},
        {"MC_LOG_UDP_JSON": "host:70000"},
        {"MC_LOG_EXTRA_CONTEXT": "a"},
        {"RUST_LOG": ",".join(f"m{n}=info" for n in range(1001))},
    ],
)
def test_malformed_settings(environment: dict[str, str]) -> None:
    with pytest.raises(LogConfigError):
        LogSettings.from_environment(environment)


def test_filters() -> None:
    assert parse_filter("") == (("", logging.INFO),)
    assert parse_filter("mcnode.scp=debug") == (
        ("mcnode.scp", logging.DEBUG),
        ("", logging.ERROR),
    )
    assert parse_filter("WARN, mcnode.scp") == (("mcnode.scp", 5), ("", logging.WARNING))


def test_json_records_carry_context_and_pass_the_filter() -> None:
    with running(LogSettings("info,noisy=error", as_json=True)) as (logs, stream):
        structlog.get_logger("mcnode.x").info("hello", block=7)
        structlog.get_logger("noisy.inner").warning("too much")
        structlog.get_logger("noisyless").warning("not its child")
        structlog.get_logger("mcnode.x").debug("hidden")
        logging.getLogger("library").warning("foreign %s", "words")
        logs.set("debug")
        assert logs.current() == "debug"
        structlog.get_logger("mcnode.x").debug("now seen")
    found = records(stream)
    assert [record["event"] for record in found] == [
        "hello",
        "not its child",
        "foreign words",
        "now seen",
    ]
    assert found[0]["block"] == 7
    assert found[0]["level"] == "info"
    assert found[0]["logger"] == "mcnode.x"
    assert all(record["mc.local_node_id"] == "a:1" for record in found)
    assert all("timestamp" in record for record in found)


def test_a_filter_that_is_not_understood_changes_nothing() -> None:
    with running(LogSettings("info")) as (logs, _):
        with pytest.raises(LogConfigError, match="level 'loud'"):
            logs.set("x=loud")
        assert logs.current() == "info"


def test_text_form() -> None:
    with running(LogSettings(extra_context={"site": "lab"})) as (_, stream):
        structlog.get_logger("mcnode.x").error("went wrong", limit=3)
    line = stream.getvalue()
    for part in ("went wrong", "limit=3", "site=lab", "mc.local_node_id=a:1", "error"):
        assert part in line


def test_exceptions_are_written_out() -> None:
    with running(LogSettings(as_json=True)) as (_, stream):
        try:
            raise ValueError("boom")
        except ValueError:
            structlog.get_logger("x").exception("caught")
    assert "ValueError: boom" in records(stream)[0]["exception"]


def test_datagrams_are_capped() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as collector:
        collector.bind(("127.0.0.1", 0))
        collector.settimeout(10)
        settings = LogSettings(udp_address=("127.0.0.1", collector.getsockname()[1]))
        with running(settings):
            structlog.get_logger("x").info("y" * 100_000)
            structlog.get_logger("x").info("short")
        assert len(collector.recv(100_000)) == UDP_RECORD_BYTES_MAX
        assert json.loads(collector.recv(100_000))["event"] == "short"
