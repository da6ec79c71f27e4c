"""What a schema document says of tables, in a form of our own, as YAML.

The document's facts and what an example adds to them have the same form, so that the two together
say all that is to be in the database.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml

DATA = Path(__file__).parents[1] / "data"


@dataclass(frozen=True)
class Column:
    """A column: its type and default as SQL, whether it is NOT NULL."""

    type: str
    required: bool = False
    default: str | None = None


@dataclass(frozen=True)
class Table:
    """A table. `uniques` lists sets of columns; `references` has the text after REFERENCES."""

    columns: Mapping[str, Column] = field(default_factory=dict)
    primary: str = ""
    uniques: Sequence[Sequence[str]] = ()
    references: Mapping[str, str] = field(default_factory=dict)
    one_of: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Columns whose values are known: a CHECK."""
    checks: Sequence[str] = ()
    """Other conditions, as SQL."""
    indexes: Mapping[str, str] = field(default_factory=dict)
    """By name, the text after ON and the table, with `unique` before where it is."""
    triggers: Sequence[str] = ()
    policies: Sequence[str] = ()


@dataclass(frozen=True)
class Facts:
    """All of a document: tables in the order of their creation, and files where it names them."""

    tables: Mapping[str, Table]
    files: Sequence[str] = ()


def read(example: str) -> tuple[Facts, Facts]:
    """What the document of an example says, and what the example has besides."""
    content = yaml.safe_load((DATA / f"{example}.yaml").read_text())
    return _facts(content["document"]), _facts(content["added"])


def text(facts: Facts) -> str:
    """All of it, to compare: the order counts, and the kind of a sequence does not."""
    return json.dumps(asdict(facts), indent=1)


def together(first: Facts, second: Facts) -> Facts:
    """Both, table by table."""
    names = [*first.tables, *(name for name in second.tables if name not in first.tables)]
    none = Table()
    tables = {n: _joined(first.tables.get(n, none), second.tables.get(n, none)) for n in names}
    return Facts(tables, [*first.files, *second.files])


def _joined(first: Table, second: Table) -> Table:
    return Table(
        columns={**first.columns, **second.columns},
        primary=first.primary or second.primary,
        uniques=[*first.uniques, *second.uniques],
        references={**first.references, **second.references},
        one_of={**first.one_of, **second.one_of},
        checks=[*first.checks, *second.checks],
        indexes={**first.indexes, **second.indexes},
        triggers=[*first.triggers, *second.triggers],
        policies=[*first.policies, *second.policies],
    )


def _facts(content: Mapping[str, Any]) -> Facts:
    tables = {name: _table(table) for name, table in content["tables"].items()}
    return Facts(tables, content.get("files", ()))


def _table(content: Mapping[str, Any]) -> Table:
    columns = {name: Column(**column) for name, column in content.get("columns", {}).items()}
    return Table(**{**content, "columns": columns})
