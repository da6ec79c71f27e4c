"""Log lines: for machines and for people, with the fields of the call."""

import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from daap_operator import logs
from daap_operator.engine.kinds import Ref
from daap_operator.kinds.database.naming import ref
from daap_operator.kube import Kind

KEY = ref("shop", "orders")


def record(message: str = "Phase changed", *args: object, **extra: Any) -> logging.LogRecord:
    made = logging.LogRecord(
        "daap_operator.engine.tell", logging.INFO, "tell.py", 1, message, args, None
    )
    made.created = 1772366400.1239  # 2026-03-01T12:00:00.123Z
    vars(made).update(extra)
    return made


def failed(message: str) -> logging.LogRecord:
    made = record(message)
    try:
        int("a bug")
    except ValueError:
        made.exc_info = sys.exc_info()
    return made


def test_a_line_for_machines_is_one_object() -> None:
    line = logs.JsonFormatter().format(record(key=KEY, phase="Ready", generation=3))
    assert "\n" not in line
    assert json.loads(line) == {
        "time": "2026-03-01T12:00:00.123+00:00",
        "level": "info",
        "logger": "daap_operator.engine.tell",
        "message": "Phase changed",
        "namespace": "shop",
        "database": "orders",
        "phase": "Ready",
        "generation": 3,
    }


def test_a_line_for_machines_takes_any_value_and_any_text() -> None:
    line = logs.JsonFormatter().format(record("%s lost", "it\nall", kind=object, names=["é"]))
    made = json.loads(line)
    assert made["message"] == "it\nall lost"
    assert made["kind"] == "<class 'object'>"
    assert made["names"] == ["é"]
    assert "\n" not in line


def test_a_line_for_people_reads_from_left_to_right() -> None:
    line = logs.TextFormatter().format(
        record("%d changed", 3, key=KEY, phase="Ready", told="Clients can connect", gone="")
    )
    assert line == (
        "12:00:00.123 INFO    3 changed namespace=shop database=orders phase=Ready "
        'told="Clients can connect" gone=""'
    )


def test_a_key_is_told_by_the_word_for_its_kind() -> None:
    toy = Kind("toys.example", "v1", "DaapToy", "daaptoys")
    shelf = Kind("toys.example", "v1", "Shelf", "shelves", namespaced=False)
    assert logs.fields(record(key=Ref(toy, "shop", "a"))) == {"namespace": "shop", "toy": "a"}
    assert logs.fields(record(key=Ref(shelf, "", "a"))) == {"shelf": "a"}


def test_a_line_without_a_key_has_the_fields_of_the_call_alone() -> None:
    assert logs.fields(record(databases=3)) == {"databases": 3}
    assert logs.fields(record()) == {}


def test_an_error_comes_with_its_traceback() -> None:
    for_machines = json.loads(logs.JsonFormatter().format(failed("Pass failed unexpectedly")))
    assert for_machines["traceback"].startswith("Traceback")
    assert for_machines["traceback"].endswith("'a bug'")
    first, *rest = logs.TextFormatter().format(failed("Pass failed unexpectedly")).splitlines()
    assert first.endswith("Pass failed unexpectedly")
    assert rest[-1].startswith("ValueError: ")


# --- where they go --------------------------------------------------------------------------------


@pytest.fixture
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, levels = list(root.handlers), {root.name: root.level} | library_levels()
    root.handlers.clear()  # else configure() would close pytest's own
    yield
    root.handlers[:] = handlers
    for name in {root.name, *library_levels()}:
        logging.getLogger(name).setLevel(levels.get(name, logging.NOTSET))


def library_levels() -> dict[str, int]:
    there = logging.Logger.manager.loggerDict
    return {name: one.level for name, one in there.items() if isinstance(one, logging.Logger)}


@pytest.mark.usefixtures("logging_as_before")
@pytest.mark.parametrize(
    ("form", "begins"), [("json", '{"time": "'), ("text", "")], ids=["json", "text"]
)
def test_lines_go_to_standard_error_in_the_form_asked_for(
    form: str, begins: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(level="INFO", form=form)
    logging.getLogger("daap_operator.x").info("Said", extra={"key": KEY})
    logging.getLogger("daap_operator.x").debug("Whispered")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith(begins)
    assert ("namespace=shop" in err) == (form == "text")


@pytest.mark.usefixtures("logging_as_before")
@pytest.mark.parametrize("level", ["DEBUG", "INFO", "ERROR"])
def test_libraries_are_quieter_than_the_operator_and_never_louder(level: str) -> None:
    logs.configure(level=level, form="json")
    least = logging.getLevelName(level)
    assert logging.getLogger("daap_operator").getEffectiveLevel() == least
    assert logging.getLogger("kopf").getEffectiveLevel() == max(logging.WARNING, least)
    assert logging.getLogger("kopf.objects").getEffectiveLevel() == logging.ERROR
    assert logging.getLogger("kopf._cogs.clients.api").getEffectiveLevel() == logging.CRITICAL
