"""What goes wrong with the metadata database, in the terms of the condition MetadataSynced."""

import psycopg
from psycopg import errors

from daap_operator.errors import Outage


class MetadataError(Outage):
    """The inventory cannot be read or written now; `reason` is the condition's."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message

    @property
    def of_one_row(self) -> bool:
        """Whether only this row is refused, and others would be taken."""
        return self.reason == "RowRefused"


def problem(error: Exception) -> MetadataError:
    """What an error of psycopg's means. Never shows the URL."""
    if isinstance(error, MetadataError):
        return error
    said = " ".join(str(error).split()) or type(error).__name__
    match error:
        case errors.ReadOnlySqlTransaction():
            return MetadataError("ReadOnly", f"The metadata database takes no writes: {said}")
        case errors.UndefinedTable() | errors.UndefinedColumn():
            return MetadataError("SchemaOutdated", f"The schema is not as it should be: {said}")
        case errors.InsufficientPrivilege():
            return MetadataError("Forbidden", f"The metadata database refuses the user: {said}")
        case psycopg.DataError() | psycopg.IntegrityError():
            return MetadataError("RowRefused", f"The metadata database refuses the row: {said}")
        case _:
            return MetadataError("Unreachable", f"The metadata database does not answer: {said}")
