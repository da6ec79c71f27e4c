"""What goes wrong with the metadata database, in the terms of the condition MetadataSynced."""

from collections.abc import Sequence

import psycopg
from psycopg import errors
from psycopg_pool import PoolTimeout

from daap_operator import pooling
from daap_operator.api.reasons import InventoryReason
from daap_operator.errors import Outage
from daap_operator.findings import Finding, Reason
from daap_operator.lines import quoted

READ_ONLY = (
    "The metadata database accepts no writes; the platform team must make it writable "
    "(default_transaction_read_only), or have DATABASE_URL name the primary"
)


class MetadataError(Outage):
    """The inventory cannot be read or written now; the finding is the condition's."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.finding = Finding(reason, message)

    @property
    def of_one_row(self) -> bool:
        """Whether only this row is refused, and others would be taken: it is tried again soon."""
        return self.finding.reason in (InventoryReason.ROW_REFUSED, InventoryReason.ROW_LOCKED)


def outdated(missing: Sequence[str], job: str) -> MetadataError:
    """The schema lacks migrations, which the Job `namespace/name` applies, if there is one."""
    remedy = "run `daap-operator migrate`"
    if job:
        namespace, _, name = job.partition("/")
        remedy = (
            f"the Job {name} in the namespace {namespace} applies them, and says why it has not: "
            f"kubectl logs --namespace {namespace} job/{name} --all-containers"
        )
    lacks = f"The metadata database lacks the migrations {', '.join(missing)}"
    return MetadataError(InventoryReason.SCHEMA_OUTDATED, f"{lacks}: {remedy}")


def pooled() -> MetadataError:
    """Sessions are lent there: the time limits of our own would become those of other clients."""
    return MetadataError(
        InventoryReason.TRANSACTION_POOLER,
        "The metadata database is behind a pooler in transaction mode, where the operator's "
        f"settings would reach the pooler's other clients; the platform team must {pooling.REMEDY}",
    )


_NO_SLOT = ("too many clients", "too many connections", "connection slots")
"""How a server says that it has no connection left; its code is lost while connecting."""


def problem(error: Exception) -> MetadataError:
    """What an error of psycopg's means, and who has to do what. Never shows the URL."""
    if isinstance(error, MetadataError):
        return error
    said = quoted(str(error)) or type(error).__name__
    match error:
        case errors.ReadOnlySqlTransaction():
            return MetadataError(InventoryReason.READ_ONLY, READ_ONLY)
        case errors.UndefinedTable() | errors.UndefinedColumn():
            return MetadataError(
                InventoryReason.SCHEMA_OUTDATED,
                f"The schema is not as it should be: {said}; run `daap-operator migrate`",
            )
        case errors.InsufficientPrivilege():
            return MetadataError(
                InventoryReason.FORBIDDEN,
                f"The metadata database refuses the user: {said}; the platform team must grant it",
            )
        case errors.LockNotAvailable() | errors.DeadlockDetected() | errors.SerializationFailure():
            return MetadataError(
                InventoryReason.ROW_LOCKED,
                "Another session of the metadata database holds the row; trying again. The "
                "platform team can end that session: pg_locks and pg_stat_activity show it",
            )
        case psycopg.DataError() | psycopg.IntegrityError():
            return MetadataError(
                InventoryReason.ROW_REFUSED, f"The metadata database refuses the row: {said}"
            )
        case _:
            return _no_answer(error, said)


def _no_answer(error: Exception, said: str) -> MetadataError:
    if any(words in said for words in _NO_SLOT):
        return MetadataError(
            InventoryReason.TOO_MANY_CONNECTIONS,
            f"The metadata database has no connection left: {said}; the platform team must raise "
            "its max_connections, or find out in pg_stat_activity who holds them",
        )
    if isinstance(error, PoolTimeout):
        return MetadataError(
            InventoryReason.UNREACHABLE,
            f"No connection to the metadata database became free: {said}; it does not answer, or "
            "DB_MAX_CONNS is too small",
        )
    return MetadataError(
        InventoryReason.UNREACHABLE,
        f"The metadata database does not answer: {said}; trying again until it does",
    )
