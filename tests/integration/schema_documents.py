"""The schema documents that the examples were made from, read where they lie beside the checkout.

One describes tables in Markdown's own tables, the other in SQL with lists of indexes and
constraints. Where they are not there, tests/data has the same facts.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from tests.integration.schema_facts import Column, Facts, Table

ROOT = Path(__file__).parents[2]
BESIDE = Path("shared/seeds")
TITLES = {
    "gpu-dev": "# Database Schema Management\n",
    "nomad-services": "# Database Schema Documentation\n",
}


def document(example: str) -> str | None:
    """The text of an example's document, or None where it is not beside the checkout."""
    for parent in ROOT.parents:
        for path in sorted((parent / BESIDE).glob("*.txt")):
            if (text := path.read_text()).startswith(TITLES[example]):
                return text
    return None


def facts_of(example: str, text: str) -> Facts:
    """What the document of an example says."""
    return _of_markdown(text) if example == "gpu-dev" else _of_sql(text)


# --- tables in Markdown ---------------------------------------------------------------------------


def _of_markdown(text: str) -> Facts:
    tables = {name: _markdown_table(body) for name, body in _sections(text, r"### `(\w+)`")}
    files = re.findall(r"[├└]── (\d{3}_\w+\.sql)", text)
    return Facts({name: table for name, table in tables.items() if table.columns}, files)


def _markdown_table(body: str) -> Table:
    rows = [
        (name, type_.strip(), said.strip(), told.strip())
        for name, type_, said, told in re.findall(
            r"^\| `(\w+)` \|([^|]+)\|([^|]*)\|([^|]*)\|$", body, re.MULTILINE
        )
    ]
    columns = {name: _markdown_column(type_, said, told) for name, type_, said, told in rows}
    single = [[name] for name, _, said, _ in rows if re.search(r"UNIQUE(?!\()", said)]
    several = [
        [column.strip() for column in found.split(",")]
        for _, _, said, _ in rows
        for found in re.findall(r"UNIQUE\(([^)]+)\)", said)
    ]
    return Table(
        columns=columns,
        primary=next((name for name, _, said, _ in rows if "PRIMARY KEY" in said), ""),
        uniques=single + several,
        references={
            name: f"{found[1]} ON DELETE {found[2]}"
            for name, _, said, _ in rows
            if (found := re.search(r"FK→(\w+), ([A-Z ]+)", said))
        },
    )


def _markdown_column(type_: str, said: str, told: str) -> Column:
    found = re.search(r"DEFAULT ([^|,]+)", said)
    default = found[1].strip() if found else None
    if type_ == "UUID" and "Auto-generated" in told:
        default = "gen_random_uuid()"
    if hours := re.search(r"\(default: (\d+ hours)\)", told):
        default = f"NOW() + INTERVAL '{hours[1]}'"
    return Column(type_, required="NOT NULL" in said, default=default)


# --- tables in SQL --------------------------------------------------------------------------------

COLUMN = re.compile(r"^    (\w+) (.+?),?$", re.MULTILINE)
WORDS = r" (?=PRIMARY KEY|UNIQUE|NOT NULL|DEFAULT|REFERENCES)"


def _of_sql(text: str) -> Facts:
    tables = {
        name: _sql_table(body)
        for name, body in _sections(text, r"### (\w+)")
        if f"CREATE TABLE {name} (" in body
    }
    order = re.findall(r"^\d\. (\w+)$", text, re.MULTILINE)
    if "Each tenant can only have one service of each type" in text:
        services = tables["services"]
        tables["services"] = Table(
            **{**vars(services), "uniques": [*services.uniques, ["type", "tenant_id"]]}
        )
    return Facts({name: tables[name] for name in order})


def _sql_table(body: str) -> Table:
    sql = body.partition("```sql")[2].partition("```")[0]
    columns: dict[str, Column] = {}
    primary, uniques, references = "", [], {}
    for name, rest in COLUMN.findall(sql):
        type_, *words = re.split(WORDS, rest)
        said = {word.split(" ")[0]: word for word in words}
        default = said.get("DEFAULT", "").removeprefix("DEFAULT ") or None
        columns[name] = Column(type_, required="NOT" in said, default=default)
        primary = name if "PRIMARY" in said else primary
        uniques += [[name]] if "UNIQUE" in said else []
        if "REFERENCES" in said:
            references[name] = said["REFERENCES"].removeprefix("REFERENCES ")
    combined = re.findall(r"^- Only one \w+ per \(([^)]+)\) combination", body, re.MULTILINE)
    return Table(
        columns=columns,
        primary=primary,
        uniques=[*uniques, *(one.split(", ") for one in combined)],
        references=references,
        one_of={
            name: re.findall(r"'(\w+)'", values)
            for name, values in re.findall(r"^- `(\w+)` must be one of: (.+)$", body, re.MULTILINE)
        },
        indexes=dict(_sql_indexes(body)),
    )


def _sql_indexes(body: str) -> Iterator[tuple[str, str]]:
    listed = re.findall(r"^- `(\w+)` - (Unique)?.*?[Ii]ndex on (.+)$", body, re.MULTILINE)
    for name, unique, columns in listed:
        yield name, f"{'unique ' if unique else ''}({columns.strip('()')})"


def _sections(text: str, heading: str) -> Iterator[tuple[str, str]]:
    found = list(re.finditer(rf"^{heading}\n", text, re.MULTILINE))
    for this, following in zip(found, [*found[1:], None], strict=True):
        end = following.start() if following else len(text)
        yield this[1], re.split(r"\n## ", text[this.end() : end])[0]
