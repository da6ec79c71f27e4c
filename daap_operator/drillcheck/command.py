"""What the checking Job of a drill runs: asks, and leaves what was found as its last words."""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import count, takewhile
from pathlib import Path
from typing import Any

import psycopg

from daap_operator import names
from daap_operator.drillcheck import amcheck, asked, report

LAST_WORDS = Path("/dev/termination-log")

_BACKUP_ID = re.compile(r"^LABEL:.*?([0-9]{8}T[0-9]{6})", re.MULTILINE)


def main(environment: Mapping[str, str], last_words: Path = LAST_WORDS) -> int:
    """Check the database that the environment names; the exit code is 0 once that is told.

    libpq reads the PG… variables for the superuser; DRILL_DATABASE, DRILL_OWNER,
    DRILL_OWNER_PASSWORD, DRILL_QUERY_1 and so on (JSON) and DRILL_WORK (the directory with what
    pg_amcheck has written) are the drill's own. Whatever fails is told, with all that was found
    before it, and is no failure of the Job.
    """
    found: dict[str, Any] = {}
    try:
        for part in _found(environment):
            found |= part
    except (psycopg.Error, OSError, ValueError) as error:
        found["error"] = str(error) or type(error).__name__
    last_words.write_text(report.told(found))
    return 0


def _found(environment: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Part by part: a table that is damaged cannot be counted, and that it is damaged is told."""
    checked = _amcheck(Path(environment["DRILL_WORK"]))
    yield {
        "relations": checked.relations,
        "corrupt": checked.corrupt,
        "corruption": checked.corruption,
    }
    if checked.error:
        yield {"error": checked.error}
        return
    database = {"dbname": environment["DRILL_DATABASE"]}
    with asked.reading(database) as connection:
        yield {"backup": backup_id(asked.label(connection))}
        yield asked.counted(connection)
    owner = {
        "user": environment["DRILL_OWNER"],
        "password": environment["DRILL_OWNER_PASSWORD"],
    }
    if queries := _queries(environment):
        with asked.reading(database | owner) as connection:
            yield {"queries": asked.answered(connection, queries)}


def _queries(environment: Mapping[str, str]) -> list[dict[str, str]]:
    variables = (f"{names.DRILL_QUERY}{number}" for number in count(1))
    return [json.loads(environment[name]) for name in takewhile(environment.get, variables)]


def backup_id(label: str) -> str:
    """The id of a base backup by its label, as in `Barman backup cloud 20261128T030000`."""
    told = _BACKUP_ID.search(label)
    return told[1] if told else ""


def _amcheck(work: Path) -> amcheck.Amcheck:
    code, out, err = (
        (work / f"amcheck.{part}").read_text(errors="replace") for part in ("exit", "out", "err")
    )
    return amcheck.read(code, out, err)
