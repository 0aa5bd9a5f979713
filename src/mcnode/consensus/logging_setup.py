"""Log records: where they go, in what form, and which of them. [docs/protocol/service.md#2.5]

Records are handed to a bounded queue and written by a thread, so that a slow terminal or collector
never holds up agreement; when the queue is full, records are dropped and counted. Which records are
wanted can be changed while the program runs.
"""

import dataclasses
import json
import logging
import logging.handlers
import queue
import socket
import sys
import time
from collections.abc import Mapping
from typing import Any, Final, TextIO

import structlog

from mcnode.consensus.log_limit import WarningLimit
from mcnode.errors import InvalidError

QUEUE_RECORDS_MAX: Final = 100_000
UDP_RECORD_BYTES_MAX: Final = 65_000
"""A datagram carries no more; longer records lose their end."""
DIRECTIVES_MAX: Final = 1_000
DEFAULT_FILTER: Final = "info"

_TRACE: Final = 5
_OFF: Final = logging.CRITICAL + 1
_LEVELS: Final = {
    "off": _OFF,
    "error": logging.ERROR,
    "warn": logging.WARNING,
    "warning": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
    "trace": _TRACE,
}


class LogConfigError(InvalidError):
    """A logging setting is not understood."""


@dataclasses.dataclass(frozen=True, slots=True)
class LogSettings:
    """How this program logs."""

    filter_text: str = DEFAULT_FILTER
    as_json: bool = False
    to_stderr: bool = False
    udp_address: tuple[str, int] | None = None
    extra_context: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "LogSettings":
        """The settings of `RUST_LOG`, `MC_LOG` and its relatives.

        Raises:
            LogConfigError: one of them is malformed.
        """
        filter_text = environment.get("RUST_LOG") or environment.get("MC_LOG") or DEFAULT_FILTER
        parse_filter(filter_text)
        udp = environment.get("MC_LOG_UDP_JSON")
        return cls(
            filter_text=filter_text,
            as_json=environment.get("MC_LOG_JSON") == "1",
            to_stderr=environment.get("MC_LOG_STDERR") == "1",
            udp_address=_parse_address(udp) if udp else None,
            extra_context=_parse_context(environment.get("MC_LOG_EXTRA_CONTEXT") or ""),
        )


def _parse_address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not (colon and host and port.isascii() and port.isdigit() and int(port) < 65536):
        raise LogConfigError(f"MC_LOG_UDP_JSON is {text!r}, needs host:port")
    return host.strip("[]"), int(port)


def _parse_context(text: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in text.split(",") if pair]
    for key, equals, _ in pairs:
        if not equals or not key:
            raise LogConfigError(f"MC_LOG_EXTRA_CONTEXT is {text!r}, needs key=value,key=value")
    return {key: value for key, _, value in pairs}


Directives = tuple[tuple[str, int], ...]
"""(start of the logger's name, least level), longest start first; the empty start is for all."""


def parse_filter(text: str) -> Directives:
    """A filter such as `info,mcnode.scp=debug`: a level for all, and levels by logger.

    A name without a level wants everything of that logger. Names of loggers that do not exist here
    are fine, so that filters written for the network's own programs keep working.

    Raises:
        LogConfigError: an unknown level.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if len(parts) > DIRECTIVES_MAX:
        raise LogConfigError(f"log filter has {len(parts)} parts, limit {DIRECTIVES_MAX}")
    levels: dict[str, int] = {}
    for part in parts:
        name, equals, level = part.partition("=")
        if equals:
            levels[name] = _parse_level(level, text)
        elif part.lower() in _LEVELS:
            levels[""] = _LEVELS[part.lower()]
        else:
            levels[part] = _TRACE
    levels.setdefault("", logging.ERROR if levels else logging.INFO)
    return tuple(sorted(levels.items(), key=lambda item: -len(item[0])))


def _parse_level(level: str, text: str) -> int:
    try:
        return _LEVELS[level.strip().lower()]
    except KeyError:
        known = ", ".join(_LEVELS)
        raise LogConfigError(
            f"log filter {text!r} has level {level!r}, known are {known}"
        ) from None


class _DirectiveFilter(logging.Filter):
    """Lets through what the directives want; they may be replaced at any time."""

    def __init__(self, directives: Directives) -> None:
        super().__init__()
        self.directives = directives

    def filter(self, record: logging.LogRecord) -> bool:
        for start, level in self.directives:
            if not start or record.name == start or record.name.startswith(f"{start}."):
                return record.levelno >= level
        return False


class _BoundedQueueHandler(logging.handlers.QueueHandler):
    """Drops records when the queue is full, instead of waiting or printing tracebacks."""

    dropped_count = 0

    def enqueue(self, record: logging.LogRecord) -> None:
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            self.dropped_count += 1

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """Keep the record as it is: the writer is in this process, and formatting is its work."""
        return record


class _UdpJsonHandler(logging.Handler):
    """One datagram per record, to a collector that may not be there."""

    def __init__(self, address: tuple[str, int]) -> None:
        super().__init__()
        family, kind, _, _, resolved = socket.getaddrinfo(*address, type=socket.SOCK_DGRAM)[0]
        self._address: Any = resolved
        self._socket = socket.socket(family, kind)

    def emit(self, record: logging.LogRecord) -> None:
        data = self.format(record).encode(errors="replace")[:UDP_RECORD_BYTES_MAX]
        try:
            self._socket.sendto(data, self._address)
        except OSError:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """A lost datagram is nobody's fault here."""

    def close(self) -> None:
        self._socket.close()
        super().close()


class Logs:
    """Running logging. Also what the admin service changes the filter through."""

    def __init__(self, settings: LogSettings, context: Mapping[str, str], stream: TextIO) -> None:
        self._text = settings.filter_text
        self._filter = _DirectiveFilter(parse_filter(settings.filter_text))
        context = {**settings.extra_context, **context}
        writers: list[logging.Handler] = [logging.StreamHandler(stream)]
        writers[0].setFormatter(_formatter(context, as_json=settings.as_json))
        if settings.udp_address is not None:
            writers.append(_UdpJsonHandler(settings.udp_address))
            writers[-1].setFormatter(_formatter(context, as_json=True))
        records: queue.Queue[Any] = queue.Queue(QUEUE_RECORDS_MAX)
        self._handler = _BoundedQueueHandler(records)
        self._handler.addFilter(self._filter)
        self._listener = logging.handlers.QueueListener(records, *writers)
        self._writers = writers

    def start(self) -> None:
        """Take over the root logger and structlog."""
        root = logging.getLogger()
        root.addHandler(self._handler)
        self._apply_root_level()
        structlog.configure(
            processors=[
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                WarningLimit(time.monotonic),
                structlog.processors.format_exc_info,
                structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
            ],
            logger_factory=structlog.stdlib.LoggerFactory(),
            wrapper_class=structlog.stdlib.BoundLogger,
            cache_logger_on_first_use=False,
        )
        self._listener.start()

    def close(self) -> None:
        """Write what is queued, then give everything back as it was."""
        logging.getLogger().removeHandler(self._handler)
        self._listener.stop()
        for writer in self._writers:
            writer.close()
        structlog.reset_defaults()

    @property
    def dropped_count(self) -> int:
        """Records lost because the queue was full."""
        return self._handler.dropped_count

    def current(self) -> str:
        """The filter as text."""
        return self._text

    def set(self, text: str) -> None:
        """Use another filter from now on.

        Raises:
            LogConfigError: it is not understood; the old one stays.
        """
        self._filter.directives = parse_filter(text)
        self._text = text
        self._apply_root_level()

    def _apply_root_level(self) -> None:
        logging.getLogger().setLevel(min(level for _, level in self._filter.directives))


def start_logging(
    settings: LogSettings, context: Mapping[str, str], stream: TextIO | None = None
) -> Logs:
    """Log from now on; `context` goes onto every record. Close the result at the end."""
    logs = Logs(settings, context, stream or (sys.stderr if settings.to_stderr else sys.stdout))
    logs.start()
    return logs


def _formatter(context: Mapping[str, str], *, as_json: bool) -> logging.Formatter:
    def add_context(_logger: Any, _name: str, event: Any) -> Any:
        return {**context, **event}

    renderer: Any = _render_json if as_json else structlog.dev.ConsoleRenderer(colors=False)
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        _RecordTime(),
    ]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            _RecordTime(),
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            add_context,
            renderer,
        ],
    )


class _RecordTime:
    """Stamps the time at which a record was made, not at which it is written."""

    def __init__(self) -> None:
        self._formatter = logging.Formatter()

    def __call__(self, _logger: Any, _name: str, event: Any) -> Any:
        record = event.get("_record")
        if record is not None and "timestamp" not in event:
            stamp = self._formatter.formatTime(record, "%Y-%m-%dT%H:%M:%S")
            event["timestamp"] = f"{stamp}.{int(record.msecs):03d}"
        return event


def _render_json(_logger: Any, _name: str, event: Any) -> str:
    return json.dumps(event, default=str, ensure_ascii=False)
