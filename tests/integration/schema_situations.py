"""Each situation that a DaapSchema can be in, brought about and held: what gets recorded."""

from collections.abc import Awaitable, Callable
from typing import Any

from tests.integration.situations import SPEC, Stage
from tests.support.databases import condition
from tests.support.eventually import eventually
from tests.support.restores import Restores
from tests.support.schema_plans import (
    BROKEN,
    DELETES,
    DRIFT,
    REHEARSE,
    UNREACHABLE,
    UNSAFE,
    WAITS,
)
from tests.support.schema_runner import running
from tests.support.schemas import Schemas

NAME, DATABASE, FILES = "orders", "orders", "orders-schema"
USERS = "CREATE TABLE users (id bigint PRIMARY KEY);\n"
ORDERS = 'CREATE TABLE orders (id bigint PRIMARY KEY, "user" bigint REFERENCES users (id));\n'
INDEX = 'CREATE INDEX CONCURRENTLY orders_by_user ON orders ("user");\n'
TWO = {"001_users.sql": USERS, "002_orders.sql": ORDERS}
THIRD = "003_orders_by_user.sql"


def _schemas(stage: Stage) -> Schemas:
    return Schemas(stage.databases.api, stage.namespace)


def _with(word: str) -> dict[str, str]:
    """All files, the third with a word that says what becomes of it."""
    return TWO | {THIRD: f"-- {word}\n{INDEX}" if word else INDEX}


async def _says(stage: Stage, reason: str) -> None:
    await _schemas(stage).says(NAME, reason)
    await eventually(
        lambda: _schemas(stage).get(NAME),
        lambda obj: condition(obj, "MetadataSynced").get("status") == "True",
    )


async def _create(stage: Stage, **spec: Any) -> None:
    await _schemas(stage).create(NAME, DATABASE, schema=[{"configMap": {"name": FILES}}], **spec)


async def _asked(stage: Stage, files: dict[str, str]) -> None:
    await stage.operators.start()
    await stage.databases.create(DATABASE, **SPEC)
    await stage.databases.ready(DATABASE)
    await _schemas(stage).files(FILES, files)
    await _create(stage)


async def created(stage: Stage) -> None:
    """The operator has not seen it yet."""
    await _create(stage)


async def waiting_for_database(stage: Stage) -> None:
    """Its database does not exist yet."""
    await stage.operators.start()
    await _schemas(stage).files(FILES, TWO)
    await _create(stage)
    await _says(stage, "WaitingForDatabase")


async def files_missing(stage: Stage) -> None:
    """The ConfigMap has no label."""
    await stage.operators.start()
    await stage.databases.create(DATABASE, **SPEC)
    await stage.databases.ready(DATABASE)
    await _schemas(stage).files(FILES, TWO, labelled=False)
    await _create(stage)
    await _says(stage, "FilesMissing")


async def planning(stage: Stage) -> None:
    """A Job looks."""
    await _asked(stage, _with(""))
    await _says(stage, "Planning")


async def _after_two(stage: Stage, word: str, reason: str) -> None:
    """Two files are applied, and the third says what becomes of it."""
    async with running(stage.databases.api, stage.namespace):
        await _asked(stage, TWO)
        await _schemas(stage).applied(NAME, "002_orders.sql")
        await _schemas(stage).files(FILES, _with(word))
        await _says(stage, reason)


async def applying(stage: Stage) -> None:
    """A Job applies a file."""
    await _after_two(stage, WAITS, "Applying")


async def applied(stage: Stage) -> None:
    """All is applied."""
    async with running(stage.databases.api, stage.namespace):
        await _asked(stage, _with(""))
        await _schemas(stage).applied(NAME, THIRD)


async def approval_required(stage: Stage) -> None:
    """The plan deletes data."""
    await _after_two(stage, DELETES, "ApprovalRequired")


async def backing_up(stage: Stage) -> None:
    """The state before the plan is backed up."""
    async with running(stage.databases.api, stage.namespace):
        await stage.operators.start()
        await Restores(stage.databases.api, stage.namespace).recoverable(DATABASE, **SPEC)
        await _schemas(stage).files(FILES, _with(""))
        await _create(stage, backupBefore=True)
        await _says(stage, "BackingUp")


async def _rehearsed(stage: Stage, word: str) -> None:
    await stage.operators.start()
    await Restores(stage.databases.api, stage.namespace).recoverable(DATABASE, **SPEC)
    await _schemas(stage).files(FILES, _with(word))
    await _create(stage, rehearsal="Always")


async def rehearsing(stage: Stage) -> None:
    """The plan is being applied to a restored copy."""
    async with running(stage.databases.api, stage.namespace) as runner:
        runner.held.add(REHEARSE)
        await _rehearsed(stage, "")
        await _schemas(stage).under_way(NAME, REHEARSE)
        await _says(stage, "Rehearsing")


async def rehearsal_failed(stage: Stage) -> None:
    """It cannot be applied to the copy."""
    async with running(stage.databases.api, stage.namespace):
        await _rehearsed(stage, BROKEN)
        await _says(stage, "RehearsalFailed")
        await eventually(
            lambda: _schemas(stage).get(NAME),
            lambda obj: bool(obj and "drill" not in obj["status"]["rehearsal"]),
        )


async def lint_failed(stage: Stage) -> None:
    """A file is unsafe."""
    await _after_two(stage, UNSAFE, "LintFailed")


async def file_failed(stage: Stage) -> None:
    """PostgreSQL refuses a file."""
    await _after_two(stage, BROKEN, "FileFailed")


async def database_unavailable(stage: Stage) -> None:
    """The database was not reached."""
    await _after_two(stage, UNREACHABLE, "DatabaseUnavailable")


async def drifted(stage: Stage) -> None:
    """Somebody has changed the database by hand."""
    async with running(stage.databases.api, stage.namespace) as runner:
        await stage.databases.create(DATABASE, **SPEC)
        await stage.operators.start()
        await stage.databases.ready(DATABASE)
        (await runner.ledger(stage.namespace, "daap-orders")).drift = [DRIFT]
        await _schemas(stage).files(FILES, TWO)
        await _create(stage)
        await _says(stage, "Drifted")


SITUATIONS: dict[str, Callable[[Stage], Awaitable[None]]] = {
    made.__name__.replace("_", "-"): made
    for made in (
        created,
        waiting_for_database,
        files_missing,
        planning,
        applying,
        applied,
        approval_required,
        backing_up,
        rehearsing,
        rehearsal_failed,
        lint_failed,
        file_failed,
        database_unavailable,
        drifted,
    )
}
