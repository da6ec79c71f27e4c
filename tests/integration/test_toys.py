"""Two kinds of nobody's, served beside databases on a real API server with a real inventory.

What they cost is in tests/toys; all else is the engine's. Their operator is a user who has the
rights that they declare, made into roles as the chart's are, and no other.
"""

from collections import Counter

import pytest

from daap_operator import raw
from daap_operator.engine.kinds import Ref, Right
from daap_operator.engine.rights import Permission
from daap_operator.kinds import known
from daap_operator.kinds.database.controller import DatabaseController
from daap_operator.kinds.database.memory import DatabaseOutcome, DatabaseTurn
from dev.cluster import ControlPlane
from tests.support import toys
from tests.support.api import Api
from tests.support.audit import Audit, Rights
from tests.support.databases import Databases, condition
from tests.support.eventually import eventually
from tests.support.operator import Operators
from tests.support.rows import Rows
from tests.support.toys import Toys, team_rows
from tests.toys.task import TaskController
from tests.toys.team import TEAM, TeamController

MOST_WRITES, MOST_EVENTS = 6, 2
"""From the creation of an object until it is Ready."""

NARROW = pytest.mark.parametrize("narrow", [False, True], ids=["everywhere", "one namespace"])


async def pods_of(tasks: Toys, name: str) -> set[str]:
    query = f"labelSelector={toys.JOB_LABEL}={name}-task"
    found = await tasks.api.list(known.POD, tasks.namespace, query)
    return {pod["metadata"]["uid"] for pod in found}


@pytest.fixture
def told(control_plane: ControlPlane) -> Rights:
    """What each user may and may not do from now on."""
    return Rights(control_plane.audit_log)


async def has_used(told: Rights, user: str, *rights: Right) -> None:
    """Wait until the log has each of these rights as used; a watch is there when it has ended."""
    declared = {Permission.of(right) for right in rights}

    async def unused() -> set[Permission]:
        return declared - told.used(user)

    await eventually(unused, lambda left: not left)
    assert told.refused(user) == set()


# --- the lives ------------------------------------------------------------------------------------


@NARROW
async def test_the_life_of_a_task(
    narrow: bool,
    api: Api,
    tasks: Toys,
    toy_operators: Operators,
    toy_user: str,
    told: Rights,
) -> None:
    running = await toys.start(api, toy_operators, toy_user, tasks.namespace if narrow else "")
    await tasks.create("pack", steps=1)
    done = await tasks.ready("pack")
    assert (done["status"]["job"], done["status"]["done"]) == ("pack-task", 1)
    first = await toys.job_of(tasks, "pack")
    assert first
    assert first["spec"]["completions"] == 1
    before = await pods_of(tasks, "pack")
    await tasks.edit("pack", steps=2)
    await tasks.ready("pack")
    second = await toys.job_of(tasks, "pack")
    assert second
    assert second["metadata"]["uid"] != first["metadata"]["uid"]
    assert second["spec"]["completions"] == 2
    assert not before & await pods_of(tasks, "pack"), "the pods of a Job go before the next Job"
    await eventually(lambda: tasks.events("pack"), {"Working", "Ready"}.issubset)
    await tasks.delete("pack")
    await tasks.gone("pack")
    assert await toys.job_of(tasks, "pack") is None
    assert await pods_of(tasks, "pack") == set()
    await running.stop()
    await has_used(told, toy_user, *TaskController.rights)


@NARROW
async def test_the_life_of_a_team(
    narrow: bool,
    api: Api,
    teams: Toys,
    databases: Databases,
    toy_operators: Operators,
    toy_user: str,
    rows: Rows,
    told: Rights,
) -> None:
    name = f"team-{databases.namespace}"
    running = await toys.start(api, toy_operators, toy_user, databases.namespace if narrow else "")
    created = await teams.create(name, quota=3)
    await teams.ready(name)
    (row,) = await team_rows(rows, name)
    assert (str(row["id"]), row["quota"], row["status"]) == (
        created["metadata"]["uid"],
        3,
        "ready",
    )
    await databases.create("orders", ownerTeam=name)
    await databases.ready("orders")
    await eventually(lambda: teams.get(name), lambda obj: obj and obj["status"]["databases"] == 1)
    await teams.delete(name)
    blocked = await teams.says(name, "DeletionBlocked")
    assert "It still has orders" in condition(blocked, "Ready")["message"]
    assert (await team_rows(rows, name))[-1]["status"] == "deleting"
    await databases.delete("orders")
    await teams.gone(name)
    (row,) = await team_rows(rows, name)
    assert row["status"] == "deleted"
    assert row["deleted_at"]
    await eventually(lambda: teams.events(name), {"Ready", "DeletionBlocked"}.issubset)
    await running.stop()
    await has_used(told, toy_user, *TeamController.rights)


async def test_a_team_wakes_its_databases(
    api: Api,
    teams: Toys,
    databases: Databases,
    toy_operators: Operators,
    toy_user: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each change of the team is there in a pass over its database."""
    name, quotas = f"team-{databases.namespace}", set[int]()
    serve = DatabaseController.serve

    async def watched(self: DatabaseController, turn: DatabaseTurn) -> DatabaseOutcome:
        quotas.add(raw.number(turn.world.store.get(Ref(TEAM, "", name)), "spec", "quota"))
        return await serve(self, turn)

    async def seen() -> set[int]:
        return quotas

    monkeypatch.setattr(DatabaseController, "serve", watched)
    await toys.start(api, toy_operators, toy_user)
    await teams.create(name, quota=2)
    await databases.create("orders", ownerTeam=name)
    await databases.ready("orders")
    for quota in (3, 4, 5):  # more than its own last news can explain
        await teams.edit(name, quota=quota)
        await eventually(seen, lambda found, quota=quota: quota in found)  # type: ignore[misc]
    await databases.delete("orders")
    await databases.gone("orders")
    await teams.delete(name)
    await teams.gone(name)


# --- budgets --------------------------------------------------------------------------------------


def written(audit: Audit) -> Counter[tuple[str, str]]:
    """What was written, the Lease aside."""
    return Counter(
        (r.verb, r.resource) for r in audit.requests() if r.write and r.resource != "leases"
    )


async def test_toys_stay_in_their_budgets(
    api: Api,
    tasks: Toys,
    teams: Toys,
    toy_operators: Operators,
    toy_user: str,
    toy_audit: Audit,
) -> None:
    name = f"team-{tasks.namespace}"
    await toys.grant(api, toy_user, toys.WITH_TOYS)
    first = await toy_operators.start(DAAP_RESYNC_INTERVAL="1s")

    async def complete(count: int) -> Counter[tuple[str, str]]:
        """What was written, once the log has the last Event."""

        async def made() -> Counter[tuple[str, str]]:
            return written(toy_audit)

        return await eventually(made, lambda seen: seen["create", "events"] >= count)

    toy_audit.forget()
    await teams.create(name)
    await teams.ready(name)
    assert await complete(1) == {
        ("patch", "daapteams"): 1,
        ("patch", "daapteams/status"): 1,
        ("create", "events"): 1,
    }
    toy_audit.forget()
    await tasks.create("pack", steps=1)
    await tasks.ready("pack")
    made = await complete(MOST_EVENTS)
    assert made.pop(("create", "events")) == MOST_EVENTS
    assert made.total() <= MOST_WRITES
    assert made == {
        ("patch", "daaptasks"): 1,
        ("patch", "daaptasks/status"): 3,  # the Job's name, that it works, that it is done
        ("patch", "jobs"): 1,
    }
    toy_audit.forget()

    async def listings() -> int:
        return sum(r.resource == "daaptasks" for r in toy_audit.requests())

    await eventually(listings, lambda count: count >= 3)  # so three resyncs have come and gone
    await first.stop()
    second = await toy_operators.start(DAAP_RESYNC_INTERVAL="1s")
    await eventually(listings, lambda count: count >= 7)
    await second.stop()
    assert written(toy_audit) == {}
