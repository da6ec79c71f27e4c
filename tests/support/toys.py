"""The toy kinds on a real API server: their CRDs, rights on them, people, and what runs pods."""

from collections.abc import Iterable
from contextlib import suppress

from daap_operator import crd, names
from daap_operator.engine.kinds import Right
from daap_operator.engine.rights import Rule, rules, scoped
from daap_operator.kinds import known
from daap_operator.kinds.served import KINDS, Kinds
from daap_operator.kube import Kind
from daap_operator.rights import rights
from dev.cluster import ControlPlane
from dev.cluster.established import wait_established
from tests.support.api import Api, ApiError, Object
from tests.support.databases import condition, is_ready
from tests.support.eventually import eventually
from tests.support.kinds import RBAC, kind_of
from tests.support.operator import Operators, RunningOperator
from tests.support.rights import may
from tests.support.rows import Row, Rows
from tests.toys import task, team
from tests.toys.task import JOB, TASK, TaskController
from tests.toys.team import TEAM, TeamController

WITH_TASKS: Kinds = (*KINDS, TaskController)
WITH_TEAMS: Kinds = (*KINDS, TeamController)
WITH_TOYS: Kinds = (*KINDS, TaskController, TeamController)

JOB_LABEL = "batch.kubernetes.io/job-name"

TABLE = (
    """
    CREATE TABLE teams (
        id uuid PRIMARY KEY,
        name text NOT NULL,
        quota integer NOT NULL,
        status text NOT NULL,
        leader_epoch bigint NOT NULL,
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
    )
    """,
    "CREATE UNIQUE INDEX ON teams (name) WHERE deleted_at IS NULL",
)
"""What a migration would bring."""


def install(plane: ControlPlane) -> None:
    """Have the API server know the toys."""
    text = crd.render(task.DEFINITION, team.DEFINITION)
    plane.kubectl("apply", "--server-side", "--filename=-", input=text)
    wait_established(plane.kubectl)


async def remove(api: Api) -> None:
    """Take the toys away, with what a failed test may have left hanging."""
    for kind in (TASK, TEAM):
        for obj in await api.list(kind):
            place = obj["metadata"].get("namespace", ""), obj["metadata"]["name"]
            await api.delete(kind, *place)
            with suppress(ApiError):  # gone meanwhile
                await api.patch(kind, *place, {"metadata": {"finalizers": None}})
        await api.delete("customresourcedefinitions", "", f"{kind.plural}.{kind.group}")


async def add_table(rows: Rows) -> None:
    """Have the inventory a table for teams."""
    for statement in TABLE:
        await rows.execute(statement)


# --- rights ---------------------------------------------------------------------------------------


def _granted(user: str, namespace: str, made: list[Rule]) -> list[Object]:
    """A role and its binding; of all namespaces when none is given."""
    role = "Role" if namespace else "ClusterRole"
    metadata = {"name": user} | ({"namespace": namespace} if namespace else {})
    head = {"apiVersion": f"{RBAC}/v1", "metadata": metadata}
    subject = {"apiGroup": RBAC, "kind": "User", "name": user}
    bound = {"apiGroup": RBAC, "kind": role, "name": user}
    return [
        head | {"kind": role, "rules": made},
        head | {"kind": f"{role}Binding", "roleRef": bound, "subjects": [subject]},
    ]


def roles(user: str, declared: Iterable[Right], *namespaces: str) -> list[Object]:
    """What the chart would grant for these rights with `watchNamespaces`, or without; the Lease
    aside."""
    scopes = scoped(declared)
    if not namespaces:
        return _granted(user, "", rules([*scopes.namespaces, *scopes.cluster]))
    return [
        *(obj for each in namespaces for obj in _granted(user, each, rules(scopes.namespaces))),
        *_granted(user, "", rules(scopes.cluster)),
        *_granted(user, "default", rules(scopes.default)),
    ]


async def grant(api: Api, user: str, kinds: Kinds, *namespaces: str) -> None:
    """Give a user what the kinds declare, and no more; comes back when it holds."""
    for obj in roles(user, rights(kinds), *namespaces):
        await api.apply(kind_of(obj), obj)
    for right in {right for kind in kinds for right in kind.rights if not right.subresource}:
        if not right.kind.namespaced:
            await may(api, right.verb, right.kind, "", user=user)
    await may(api, "watch", known.DATABASE, namespaces[0] if namespaces else "", user=user)


async def grant_lease(api: Api, user: str, namespace: str, lease: str) -> None:
    """Let the user lead by that Lease."""
    for obj in _granted(user, namespace, rules(scoped(rights(KINDS)).own, lease)):
        obj["metadata"] = obj["metadata"] | {"name": f"{user}-lease"}
        if "roleRef" in obj:
            obj["roleRef"] = obj["roleRef"] | {"name": f"{user}-lease"}
        await api.apply(kind_of(obj), obj)
    await may(api, "update", "leases", namespace, name=lease, user=user)


async def revoke(api: Api, user: str) -> None:
    """Remove what `grant` left outside of the namespaces."""
    for which in ("clusterroles", "clusterrolebindings"):
        await api.delete(which, "", user)
    for which in ("roles", "rolebindings"):
        await api.delete(which, "default", user)


# --- people ---------------------------------------------------------------------------------------


class Toys:
    """Objects of one kind, as people write them and read them back."""

    def __init__(self, api: Api, kind: Kind, namespace: str = "") -> None:
        self.api = api
        self.kind = kind
        self.namespace = namespace if kind.namespaced else ""

    async def create(self, name: str, **spec: object) -> Object:
        """Create one."""
        metadata = {"name": name} | ({"namespace": self.namespace} if self.namespace else {})
        head = {"apiVersion": self.kind.api_version, "kind": self.kind.name}
        return await self.api.create(self.kind, head | {"metadata": metadata, "spec": spec})

    async def edit(self, name: str, **spec: object) -> Object:
        """Change its spec."""
        return await self.api.patch(self.kind, self.namespace, name, {"spec": spec})

    async def delete(self, name: str) -> None:
        """Ask for its deletion."""
        await self.api.delete(self.kind, self.namespace, name)

    async def get(self, name: str) -> Object | None:
        """As it is now."""
        return await self.api.get(self.kind, self.namespace, name)

    async def ready(self, name: str) -> Object:
        """Wait until it is Ready with nothing under way."""
        found = await eventually(lambda: self.get(name), is_ready)
        assert found
        return found

    async def says(self, name: str, reason: str) -> Object:
        """Wait until its Ready has that reason."""
        found = await eventually(
            lambda: self.get(name), lambda obj: condition(obj, "Ready").get("reason") == reason
        )
        assert found
        return found

    async def gone(self, name: str) -> None:
        """Wait until it is no more."""
        await eventually(lambda: self.get(name), lambda obj: obj is None)

    async def events(self, name: str) -> set[str]:
        """The reasons of the Events on one of them."""
        found = await self.api.list("events", self.namespace or "default")
        regarding = [(event["reason"], event["regarding"]) for event in found]
        return {
            reason
            for reason, on in regarding
            if (on.get("kind"), on.get("name")) == (self.kind.name, name)
        }


async def team_rows(rows: Rows, name: str) -> list[Row]:
    """A team's rows, the live one last."""
    return await rows.execute(
        "SELECT * FROM teams WHERE name = %s ORDER BY deleted_at IS NULL, updated_at", name
    )


async def run_pods(api: Api) -> None:
    """Let each pod of a Job succeed, as a kubelet would; until cancelled.

    Those of our own kinds leave something behind that others read: they are played elsewhere.
    """
    ours = f"labelSelector={JOB_LABEL},!{names.SCHEMA_LABEL},!{names.DRILL_LABEL}"
    async for event, pod in api.watch(known.POD, ours):
        metadata = pod["metadata"]
        over = event == "DELETED" or "deletionTimestamp" in metadata
        if not over and pod["status"].get("phase") != "Succeeded":
            with suppress(ApiError):  # gone meanwhile
                await api.patch(
                    known.POD,
                    metadata["namespace"],
                    metadata["name"],
                    {"status": {"phase": "Succeeded"}},
                    "status",
                )


# --- operators, and what they make ----------------------------------------------------------------


async def start(
    api: Api, operators: Operators, user: str, namespace: str = "", **environment: str
) -> RunningOperator:
    """An operator with all rights that it declares; in one namespace if one is named."""
    await grant(api, user, WITH_TOYS, *([namespace] if namespace else []))
    return await operators.start(DAAP_WATCH_NAMESPACES=namespace, **environment)


async def job_of(tasks: Toys, name: str) -> Object | None:
    """A task's Job."""
    return await tasks.api.get(JOB, tasks.namespace, f"{name}-task")
