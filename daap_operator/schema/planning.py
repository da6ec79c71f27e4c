"""What is to be applied, in which order, and what is in the way. Pure.

The plan follows from the files and the ledger alone. Its hash names what would run, whichever
database it runs in, so that what is approved is what was read.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from daap_operator import __version__
from daap_operator.schema import rules as named
from daap_operator.schema.examining import Examined, examined
from daap_operator.schema.faults import SyntaxFault
from daap_operator.schema.linting import Advisor, New, Rules, fault, findings, of_rule
from daap_operator.schema.model import (
    Applied,
    Finding,
    Lock,
    Obstacle,
    Part,
    Plan,
    Planned,
    SqlFile,
    Statement,
    Trouble,
)
from daap_operator.schema.relations import Known

FORMAT = 1
"""Of what the hash is made from."""

Rows = Mapping[tuple[Part, str], Applied]


def plan(
    files: Sequence[SqlFile],
    ledger: Sequence[Applied],
    rules: Rules | None = None,
    advisor: Advisor | None = None,
) -> Plan:
    """What is left to apply of `files`, as `files.read` orders them, by what the ledger holds."""
    return Planner(files, rules or Rules(), advisor)(ledger)


def hashed(files: Sequence[SqlFile], ledger: Sequence[Applied]) -> Plan:
    """The plan's hash alone: nothing is parsed for it."""
    rows: Rows = {(row.part, row.name): row for row in ledger}
    return Plan(hash=_hash([file for file in files if _is_pending(file, rows)]))


class Planner:
    """Plans the same files by one ledger after another; each file is parsed and advised on once."""

    def __init__(self, files: Sequence[SqlFile], rules: Rules, advisor: Advisor | None) -> None:
        self._files = files
        self._rules = rules
        self._advisor = advisor
        self._parsed: dict[SqlFile, Sequence[Examined] | SyntaxFault] = {}
        self._advised: dict[SqlFile, Sequence[Finding]] = {}

    def __call__(self, ledger: Sequence[Applied]) -> Plan:
        """The plan by what the ledger holds."""
        rows: Rows = {(row.part, row.name): row for row in ledger}
        pending = [file for file in self._files if _is_pending(file, rows)]
        planned = list(self._planned(pending))
        obstacles = [
            *_changed(self._files, rows),
            *_out_of_order(pending, rows),
            *(obstacle for each in planned for obstacle in self._stopped(each)),
        ]
        return Plan(planned, obstacles, _hash(pending))

    def _planned(self, pending: Sequence[SqlFile]) -> Iterator[Planned]:
        new, order = New(), _disordered(pending)
        for file in pending:
            found = self._examined(file)
            further = [of_rule(named.ORDER, 1, order[file.name])] if file.name in order else []
            further = [each for each in further if each.rule not in self._rules.ignore]
            if isinstance(found, SyntaxFault):
                yield Planned(file, (), [fault(found.line, found.rule, found.message), *further])
                continue
            before = new.known.copy()
            advice = self._advice(file) if found else ()
            told = findings(found, new, self._rules, advice)
            yield Planned(file, tuple(_statements(found, before)), [*further, *told])

    def _examined(self, file: SqlFile) -> Sequence[Examined] | SyntaxFault:
        if file not in self._parsed:
            try:
                self._parsed[file] = examined(file.text, file.part)
            except SyntaxFault as found:
                self._parsed[file] = found
        return self._parsed[file]

    def _advice(self, file: SqlFile) -> Sequence[Finding]:
        if self._advisor and file not in self._advised:
            self._advised[file] = self._advisor(file)
        return self._advised.get(file, ())

    def _stopped(self, planned: Planned) -> Iterator[Obstacle]:
        """What deletes data stops nothing here: whether it may is asked where it is applied."""
        for each in planned.findings:
            if each.rule in _FAULTS:
                yield _obstacle(Trouble.SYNTAX, planned.file, each)
            elif self._rules.stops(each) and not each.destructive:
                yield _obstacle(Trouble.LINT, planned.file, each)


_FAULTS = {rule.name for rule in named.FAULTS}


def _obstacle(trouble: Trouble, file: SqlFile, finding: Finding) -> Obstacle:
    remedy = f"; {finding.remedy}" if finding.remedy else ""
    message = f"line {finding.line}: {finding.rule}: {finding.message}{remedy}"
    return Obstacle(trouble, file.name, message, finding.line)


def _statements(found: Sequence[Examined], known: Known) -> Iterator[Statement]:
    """The statements, with the locks that others may wait for: nobody knows what is new."""
    for each in found:
        taken = [
            Lock(lock.mode, str(lock.relation)) for lock in each.locks if lock.relation not in known
        ]
        yield replace(each.statement, locks=taken) if taken else each.statement
        known.remove(each.dropped)
        known.add(each.created)


def _is_pending(file: SqlFile, rows: Rows) -> bool:
    row = rows.get((file.part, file.name))
    if row is None or row.done is not None:
        return True
    return file.part is Part.FIXTURES and row.checksum != file.checksum


def _changed(files: Sequence[SqlFile], rows: Rows) -> Iterator[Obstacle]:
    there = {(file.part, file.name): file for file in files}
    for key, row in sorted(rows.items()):
        if row.part is not Part.SCHEMA or row.done is not None:
            continue
        file = there.get(key)
        if file is None:
            yield Obstacle(
                Trouble.CHANGED,
                row.name,
                f"was applied with the checksum {row.checksum} and is no longer among the files: "
                "put it back; a file that was applied stays",
            )
        elif file.checksum != row.checksum:
            yield Obstacle(
                Trouble.CHANGED,
                row.name,
                f"was applied with the checksum {row.checksum}, and now has {file.checksum}: put "
                "it back as it was, and write what should be different into a new file",
            )


def _out_of_order(pending: Sequence[SqlFile], rows: Rows) -> Iterator[Obstacle]:
    last = max((row.name for row in rows.values() if row.part is Part.SCHEMA), default="")
    for file in pending:
        if file.part is Part.SCHEMA and file.name < last:
            yield Obstacle(
                Trouble.OUT_OF_ORDER,
                file.name,
                f"is not applied, and '{last}', which comes after it, is: give it a name that "
                f"comes after '{last}'",
            )


def _disordered(files: Sequence[SqlFile]) -> dict[str, str]:
    """The files whose number is smaller than that of the file before them, and that file."""
    numbered = [
        (file, int(number[0][:30]))
        for file in files
        if (number := re.match("[0-9]+", file.name)) is not None
    ]
    return {
        later.name: f"after '{before.name}'"
        for (before, one), (later, other) in pairwise(numbered)
        if one > other and before.part is later.part
    }


def _hash(pending: Sequence[SqlFile]) -> str:
    """SHA-256, 64 hex digits, of which files would run, in order, and of the runner."""
    content = [
        [FORMAT, __version__],
        *([file.part, file.name, file.checksum] for file in pending),
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
