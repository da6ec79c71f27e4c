"""The table of docs/backup.md on what a deletion leaves behind, read as what has to be. Pure."""

from dataclasses import dataclass
from itertools import dropwhile, takewhile
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "backup.md"
HEADING = "## When a database is deleted"


@dataclass(frozen=True)
class Row:
    """A row, in the page's words."""

    policy: str
    backups: str
    on_delete: str
    cluster: str
    final: str
    archive: str
    undone: str
    source: str

    @property
    def asked(self) -> tuple[str, ...]:
        """Each value of `onDelete` that the row speaks of."""
        return ("Keep", "FinalBackup") if self.on_delete == "either" else (self.on_delete,)

    def __str__(self) -> str:
        return f"{self.policy}, {self.backups}, {self.on_delete}"


def table(text: str) -> list[Row]:
    """The first table below the heading."""
    section = text.partition(HEADING)[2].partition("\n## ")[0]
    lines = list(takewhile(_is_row, dropwhile(lambda line: not _is_row(line), section.split("\n"))))
    cells = [[cell.strip().strip("`") for cell in line.split("|")[1:-1]] for line in lines[2:]]
    return [Row(*each) for each in cells]


def _is_row(line: str) -> bool:
    return line.startswith("|")
