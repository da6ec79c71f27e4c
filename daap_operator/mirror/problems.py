"""What goes wrong with the metadata database, in the terms of the condition MetadataSynced.

The condition is every tenant's to read, and so has our own sentence alone. What PostgreSQL and the
network said (hosts, roles, databases, rows) and what the platform team is to do with it goes into
the log.
"""

from collections.abc import Sequence

import psycopg
from psycopg import errors
from psycopg_pool import PoolTimeout

from daap_operator import pooling
from daap_operator.api.reasons import InventoryReason
from daap_operator.errors import Outage
from daap_operator.findings import Finding, Reason
from daap_operator.lines import quoted
from daap_operator.mirror.answers import AnswerTooLarge


class MetadataError(Outage):
    """The inventory cannot be read or written now.

    The finding is the condition's; the error's own text has what is for the log as well.
    """

    def __init__(self, reason: Reason, message: str, for_the_log: str = "") -> None:
        super().__init__(f"{message}: {for_the_log}" if for_the_log else message)
        self.finding = Finding(reason, message)

    @property
    def of_one_row(self) -> bool:
        """Whether this write alone has failed, as far as is known: it is tried again soon."""
        return self.finding.reason in _OF_ONE_ROW


_OF_ONE_ROW = (
    InventoryReason.ROW_REFUSED,
    InventoryReason.ROW_LOCKED,
    InventoryReason.EPOCH_NOT_RAISED,
    InventoryReason.FAILED,
)


def outdated(missing: Sequence[str], job: str) -> MetadataError:
    """The schema lacks migrations, which the Job `namespace/name` applies, if there is one."""
    remedy = "run `daap-operator migrate`"
    if job:
        namespace, _, name = job.partition("/")
        remedy = (
            f"the Job {name} in the namespace {namespace} applies them, and says why it has not: "
            f"kubectl logs --namespace {namespace} job/{name} --all-containers"
        )
    return MetadataError(
        InventoryReason.SCHEMA_OUTDATED,
        f"The metadata database lacks the migrations {', '.join(missing)}; the platform team must "
        "apply them, and the operator's log says how",
        remedy,
    )


def pooled() -> MetadataError:
    """Sessions are lent there: the time limits of our own would become those of other clients."""
    return MetadataError(
        InventoryReason.TRANSACTION_POOLER,
        "The metadata database is behind a pooler in transaction mode, where the operator's "
        f"settings would reach the pooler's other clients; the platform team must {pooling.REMEDY}",
    )


def read_only() -> MetadataError:
    """The server takes no writes."""
    return MetadataError(
        InventoryReason.READ_ONLY,
        "The metadata database accepts no writes; the platform team must make it writable "
        "(default_transaction_read_only), or have DATABASE_URL name the primary",
    )


def implausible(lease: str, ours: int, found: object) -> MetadataError:
    """The inventory knows of a leader that cannot have been: the Lease does not follow it."""
    return MetadataError(
        InventoryReason.EPOCH_IMPLAUSIBLE,
        "The inventory names a leader that cannot have been; the platform team must correct the "
        "table leaders, and the operator's log says how",
        f"the epoch {found!r:.100} is said to have written last, and this leader's is {ours}. Find "
        "out who wrote that, then remove the row of the table leaders whose lease is "
        f"'{lease}': this leader makes it anew",
    )


def not_raised(why: str) -> MetadataError:
    """The epoch could not be raised above the one that the inventory knows."""
    return MetadataError(
        InventoryReason.EPOCH_NOT_RAISED,
        "The operator's Lease could not be raised above the epoch that the inventory knows; "
        "trying again",
        why,
    )


def failed(error: Exception) -> MetadataError:
    """Nobody has thought of this; the inventory stops nothing all the same."""
    return MetadataError(
        InventoryReason.FAILED,
        "The inventory cannot be used, for a reason that the operator does not know; trying again",
        f"{error!r:.1000}",
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
            return read_only()
        case errors.InsufficientPrivilege():
            return MetadataError(
                InventoryReason.FORBIDDEN,
                "The metadata database refuses the operator's role; the platform team must grant "
                "what it lacks",
                said,
            )
        case errors.LockNotAvailable() | errors.DeadlockDetected() | errors.SerializationFailure():
            return MetadataError(
                InventoryReason.ROW_LOCKED,
                "Another session of the metadata database holds the row; trying again. The "
                "platform team can end that session: pg_locks and pg_stat_activity show it",
            )
        case (
            psycopg.DataError()
            | psycopg.IntegrityError()
            | errors.RaiseException()
            | AnswerTooLarge()
        ):
            return _refused(error, said)
        case psycopg.ProgrammingError():
            return MetadataError(
                InventoryReason.SCHEMA_OUTDATED,
                "The metadata database's schema is not as this version of the operator needs it; "
                "the platform team must run `daap-operator migrate`, or upgrade the operator if a "
                "newer version has migrated; the operator's log says what is missing",
                said,
            )
        case _:
            return _no_answer(error, said)


def _refused(error: Exception, said: str) -> MetadataError:
    why = "; the operator's log says why"
    if isinstance(error, errors.StringDataRightTruncation):
        why = ": the name is too long for it"  # of other texts the row has what its columns take
    elif isinstance(error, errors.UniqueViolation):
        why = ": another row has the name"
    return MetadataError(
        InventoryReason.ROW_REFUSED, f"The metadata database refuses the row{why}", said
    )


def _no_answer(error: Exception, said: str) -> MetadataError:
    if any(words in said for words in _NO_SLOT):
        return MetadataError(
            InventoryReason.TOO_MANY_CONNECTIONS,
            "The metadata database has no connection left; the platform team must raise its "
            "max_connections, or find out in pg_stat_activity who holds them",
            said,
        )
    if isinstance(error, PoolTimeout):
        return MetadataError(
            InventoryReason.UNREACHABLE,
            "No connection to the metadata database became free; it does not answer, or "
            "DB_MAX_CONNS is too small",
            said,
        )
    return MetadataError(
        InventoryReason.UNREACHABLE,
        "The metadata database does not answer; trying again until it does",
        said,
    )
