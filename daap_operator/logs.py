"""Log lines: JSON for machines, or text for people; both with the fields of the call.

Messages are in Kubernetes' manner: a capital first, no full stop, what happened in the past tense.
"""

import json
import logging
from datetime import UTC, datetime
from typing import Any

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

_QUIETER = {
    # kopf logs each handler's success and each failed try of a request as an error
    "kopf": logging.WARNING,
    "kopf.objects": logging.ERROR,
    "kopf._core.reactor.running": logging.ERROR,
    "kopf._cogs.clients": logging.CRITICAL,
    "aiohttp.access": logging.WARNING,
    "psycopg.pool": logging.ERROR,
}


def configure(*, level: str, form: str) -> None:
    """Send all log lines to standard error in the given form, `json` or `text`."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name, least in _QUIETER.items():
        logging.getLogger(name).setLevel(max(least, logging.getLevelName(level)))


def fields(record: logging.LogRecord) -> dict[str, Any]:
    """The fields of the call; the key of an object becomes its namespace, if any, and its name."""
    extra = {key: value for key, value in vars(record).items() if key not in _STANDARD}
    key = extra.pop("key", None)
    if key is None:
        return extra
    kind, namespace, name = key
    place = {"namespace": namespace} if namespace else {}
    return place | {kind.word: name} | extra


class JsonFormatter(logging.Formatter):
    """An object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {key: value for key, value in fields(record).items() if key not in line}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class TextFormatter(logging.Formatter):
    """Time, level, message, then key=value."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        clock = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S.%f")[:-3]
        pairs = "".join(f" {key}={_quoted(value)}" for key, value in fields(record).items())
        line = f"{clock} {record.levelname:<7} {record.getMessage()}{pairs}"
        if record.exc_info:
            line = f"{line}\n{_escaped(self.formatException(record.exc_info), but=chr(10))}"
        return line


def _quoted(value: object) -> str:
    text = str(value)
    plain = text and text.isprintable() and " " not in text
    return text if plain else _escaped(json.dumps(text, ensure_ascii=False))


def _escaped(text: str, *, but: str = "") -> str:
    """The text with what is not to be seen as `\\u202e`: it may command the reader's terminal."""
    return "".join(
        each if each.isprintable() or each == but else f"\\u{ord(each):04x}" for each in text
    )
