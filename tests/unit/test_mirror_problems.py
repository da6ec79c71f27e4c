"""What goes wrong with the metadata database, and who is told to do what."""

import psycopg
import pytest
from psycopg import errors
from psycopg_pool import PoolTimeout

from daap_operator.api.reasons import InventoryReason
from daap_operator.mirror import MetadataError
from daap_operator.mirror.problems import outdated, problem

PROBLEMS: dict[str, tuple[Exception, str, str]] = {
    "a server without slots": (
        psycopg.OperationalError("FATAL:  sorry, too many clients already"),
        "TooManyConnections",
        "max_connections",
    ),
    "a server whose last slots are reserved": (
        psycopg.OperationalError("remaining connection slots are reserved for roles"),
        "TooManyConnections",
        "pg_stat_activity",
    ),
    "a role without slots": (
        psycopg.OperationalError('too many connections for role "daap"'),
        "TooManyConnections",
        "max_connections",
    ),
    "a pool without connections": (PoolTimeout("after 3 s"), "Unreachable", "DB_MAX_CONNS"),
    "a server that is away": (psycopg.OperationalError("refused"), "Unreachable", "trying again"),
    "a slow statement": (errors.QueryCanceled("timeout"), "Unreachable", "trying again"),
    "a row that is held": (errors.LockNotAvailable("lock timeout"), "RowLocked", "pg_locks"),
    "a deadlock": (errors.DeadlockDetected("deadlock"), "RowLocked", "trying again"),
    "a replica": (errors.ReadOnlySqlTransaction("cannot"), "ReadOnly", "primary"),
    "a missing column": (errors.UndefinedColumn("x"), "SchemaOutdated", "daap-operator migrate"),
    "a missing permission": (errors.InsufficientPrivilege("x"), "Forbidden", "must grant"),
    "a text that is too long": (errors.StringDataRightTruncation("x"), "RowRefused", "too long"),
    "a name that is taken": (errors.UniqueViolation("x"), "RowRefused", "another row"),
    "a rule that somebody added": (errors.CheckViolation("x"), "RowRefused", "log says why"),
    "a trigger that somebody added": (errors.RaiseException("x"), "RowRefused", "log says why"),
    "a column of another type": (errors.DatatypeMismatch("x"), "SchemaOutdated", "log says what"),
    "nobody knows": (ValueError("x"), "Unreachable", "trying again"),
}

SAID = (
    'connection to server at "10.96.7.8", port 25127 failed: FATAL: role "boss" of database '
    '"billing" at pg_hba.conf line 7 of host metadata.internal'
)


@pytest.mark.parametrize(("error", "reason", "told"), PROBLEMS.values(), ids=PROBLEMS)
def test_a_problem_has_a_reason_and_says_what_to_do(
    error: Exception, reason: str, told: str
) -> None:
    found = problem(error)
    assert (found.finding.reason, found.of_one_row) == (reason, reason.startswith("Row"))
    assert told in found.finding.message


def of_their_words(error: Exception) -> MetadataError:
    """The same error with what a server says of itself, and of what others have stored there."""
    said = SAID
    for words in ("too many clients", "too many connections", "connection slots"):
        if words in str(error):
            said += f": {words}"
    return problem(type(error)(said))


@pytest.mark.parametrize(("error", "_", "__"), PROBLEMS.values(), ids=PROBLEMS)
def test_what_others_said_is_for_the_log_alone(error: Exception, _: str, __: str) -> None:
    found = of_their_words(error)
    told = found.finding.message
    for word in ("10.96.7.8", "25127", "boss", "billing", "pg_hba", "metadata.internal"):
        assert word not in told
    if found.finding.reason not in ("RowLocked", "ReadOnly"):  # of those all is told
        assert SAID in str(found)


def test_a_problem_that_is_known_stays_as_it_is() -> None:
    known = MetadataError(InventoryReason.READ_ONLY, "no")
    assert problem(known) is known


def test_a_schema_that_lacks_migrations_is_told_with_what_applies_them() -> None:
    by_hand = outdated(["006_a", "007_b"], "")
    lacks = "The metadata database lacks the migrations 006_a, 007_b"
    remedy = "the platform team must apply them, and the operator's log says how"
    assert by_hand.finding.message == f"{lacks}; {remedy}"
    assert str(by_hand) == f"{by_hand.finding.message}: run `daap-operator migrate`"
    found = outdated(["007_b"], "daap-system/daap-operator-migrate-1a2b")
    assert "daap-system" not in found.finding.message
    by_job = str(found)
    assert "the Job daap-operator-migrate-1a2b in the namespace daap-system" in by_job
    assert by_job.endswith(
        "kubectl logs --namespace daap-system job/daap-operator-migrate-1a2b --all-containers"
    )
