"""The shipped rights: all are needed, and no other.

For each right an operator that lacks it, and nothing else, goes through a database's whole life: it
is refused just that, and the life stops where the right is needed. With all of them the life goes
to its end. All of these operators have Roles in their own namespace, and a ClusterRole that lets
them read StorageClasses and ask who may read the metrics, and nothing else.
"""

import asyncio
import traceback
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest

from daap_operator.engine import kopf_watch
from daap_operator.engine.kinds import Right
from daap_operator.engine.rights import Permission
from daap_operator.kinds import known
from daap_operator.kinds.served import KINDS
from daap_operator.kube import ACCESS_REVIEW, EVENT, LEASE, TOKEN_REVIEW, Kind, client
from dev.cluster import ControlPlane
from dev.postgres import Server
from tests.fix_cluster import remove_namespace
from tests.standin.cnpg import StandIn
from tests.support import drills
from tests.support.api import Api
from tests.support.audit import Rights
from tests.support.databases import Databases
from tests.support.kinds import kind_of
from tests.support.life import NOWHERE, WATCHED, Life, Stuck
from tests.support.nightly import nightly
from tests.support.operator import PORTS
from tests.support.rights import DECLARED, NAME, granted, lease_rights, may, shipped
from tests.support.scrape import remove_scraper
from tests.support.unmeasured import unmeasured

Object = dict[str, Any]

AT_THE_SAME_TIME, AT_MOST = 8, 24
"""Lives that proceed, and all: what only waits to be certain that it is stuck lets another begin.
Each has two connections to PostgreSQL, which takes a hundred."""

RENDERED = "rendered"
"""The namespace that the chart is rendered for, once; each trial puts its own in its place."""

LAST_TLS_SECONDS = 1.0
"""With so many operators at the same time the API server closes its side of a socket later."""

pytestmark = [pytest.mark.timeout(600), unmeasured]

BACKED_UP, PUT_BACK = "be backed up", "be put back"
DRILLED = "be restored for a drill"
START, BIRTH, GOING, SCRAPED = "start", "be Ready", "go", "be seen in the metrics"
WATCHING = {"list": {START}, "watch": {WATCHED}}


def on(kind: Kind, verb: str, subresource: str = "") -> Permission:
    return Permission.of(Right(kind, verb, "", subresource))


NEWS = {
    on(watch.kind, verb): stops
    for kind in KINDS
    for watch in kind.watches
    for verb, stops in WATCHING.items()
}
STOPS: dict[Permission, set[str]] = NEWS | {
    on(known.DATABASE, "get"): {GOING},
    on(known.DATABASE, "patch"): {BIRTH},
    on(known.DATABASE, "patch", "status"): {BIRTH},
    on(known.CLUSTER, "get"): {PUT_BACK},
    on(known.CLUSTER, "create"): {BIRTH},
    on(known.CLUSTER, "patch"): {BIRTH},
    on(known.CLUSTER, "delete"): {PUT_BACK},
    on(known.POOLER, "get"): {GOING, "retain"},
    on(known.POOLER, "create"): {BIRTH},
    on(known.POOLER, "patch"): {BIRTH},
    on(known.POOLER, "delete"): {GOING},
    on(known.SCHEDULED_BACKUP, "get"): {GOING, "retain"},
    on(known.SCHEDULED_BACKUP, "create"): {BACKED_UP},
    on(known.SCHEDULED_BACKUP, "patch"): {BACKED_UP},
    on(known.SCHEDULED_BACKUP, "delete"): {PUT_BACK},
    on(known.SECRET, "get"): {BIRTH},
    on(known.SECRET, "create"): {BIRTH},
    on(known.SECRET, "update"): {"have its Secret mended"},
    on(known.SECRET, "patch"): {"retain"},
    on(known.SECRET, "delete"): {"lose the Secret of its old name"},
    on(known.STORAGE_CLASS, "get"): {"grow"},
    on(known.DAAP_BACKUP, "get"): {"lose what was never begun"},
    on(known.DAAP_BACKUP, "patch"): {"wait for another one to be backed up"},
    on(known.DAAP_BACKUP, "patch", "status"): {"wait for another one to be backed up"},
    on(known.DAAP_BACKUP, "create"): {"be backed up before a restore"},
    on(known.DAAP_DRILL, "create"): {"be drilled"},
    on(known.DAAP_DRILL, "delete"): {"lose an old drill"},
    on(known.DAAP_RESTORE, "get"): {"lose what was not restored"},
    on(known.DAAP_RESTORE, "patch"): {"be told that nothing is restored"},
    on(known.DAAP_RESTORE, "patch", "status"): {"be told that nothing is restored"},
    # Also after a deletion that met a drill that had just changed
    on(known.DAAP_DRILL, "get"): {"be told that a drill is over", "lose an old drill"},
    on(known.DAAP_DRILL, "patch"): {"be drilled"},
    on(known.DAAP_DRILL, "patch", "status"): {"be told that a drill is over"},
    on(known.DAAP_SCHEMA, "get"): {"have a Job for its schema"},
    on(known.DAAP_SCHEMA, "patch"): {"be told that a schema waits"},
    on(known.DAAP_SCHEMA, "patch", "status"): {"be told that a schema waits"},
    on(known.CONFIG_MAP, "get"): {"have a Job for its schema"},
    on(known.NETWORK_POLICY, "get"): {"lose the drill that waited"},
    on(known.NETWORK_POLICY, "create"): {DRILLED},
    on(known.NETWORK_POLICY, "patch"): {DRILLED},
    on(known.NETWORK_POLICY, "delete"): {"pass its drill"},
    on(known.JOB, "get"): {"lose the drill that waited"},
    on(known.JOB, "create"): {DRILLED},
    on(known.JOB, "patch"): {DRILLED},
    on(known.JOB, "delete"): {"pass its drill"},
    on(known.BACKUP, "get"): {"lose what was never begun"},
    on(known.BACKUP, "create"): {"be backed up now"},
    on(known.BACKUP, "patch"): {"be backed up now"},
    on(known.BACKUP, "delete"): {"lose its backup"},
    on(EVENT, "create"): {"be told of in Events"},
    on(known.POD, "get", "log"): {"be told why its restore fails"},
    on(EVENT, "list"): {"be told why it waits"},
    on(TOKEN_REVIEW, "create"): {SCRAPED},
    on(ACCESS_REVIEW, "create"): {SCRAPED},
    on(LEASE, "get"): {START},
    on(LEASE, "update"): {START},
    on(LEASE, "create"): {START},
}
"""At which step of its life a database is stuck without the right, or at one of which: the second
look at a child that goes may find nothing to ask for."""


@dataclass
class Trial:
    """An operator without one right, or with all, and how far a database got under it."""

    lacks: Permission | None
    mark: str = field(default_factory=lambda: uuid.uuid4().hex[:10])
    stuck: str | None = None
    failure: str = ""
    """Why it could not be carried out; of interest to its own test alone."""
    refused: set[Permission] = field(default_factory=set)
    used: set[Permission] = field(default_factory=set)

    @property
    def namespace(self) -> str:
        """Of this trial alone."""
        return f"rbac-{self.mark}"

    @property
    def user(self) -> str:
        """Of this trial alone."""
        return f"operator-{self.mark}"

    def roles(self) -> list[Object]:
        """What the chart ships for the namespace and the Lease in it, less what is lacking."""
        there = [
            obj | {"metadata": obj["metadata"] | {"namespace": self.namespace}}
            for obj in shipped(RENDERED)
            if obj["metadata"].get("namespace") == RENDERED
        ]
        everywhere = [self._renamed(obj) for obj in shipped(RENDERED) if _of_no_place(obj)]
        leases = lease_rights(self.namespace, NAME)
        return [self._adapted(obj) for obj in [*there, *leases, *everywhere]]

    def _renamed(self, obj: Object) -> Object:
        """A ClusterRole or its binding, of this trial alone."""
        name = obj["metadata"]["name"].replace(NAME, self.user)
        made = obj | {"metadata": obj["metadata"] | {"name": name}}
        return made | ({"roleRef": obj["roleRef"] | {"name": name}} if "roleRef" in obj else {})

    def _adapted(self, obj: Object) -> Object:
        if obj["kind"].endswith("Binding"):
            user = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": self.user}
            return obj | {"subjects": [user]}
        rules = [
            {
                "apiGroups": [right.group],
                "resources": [right.resource],
                "verbs": [right.verb],
                **{key: rule[key] for key in ("resourceNames",) if key in rule},
            }
            for rule in obj["rules"]
            for right in granted([rule])
            if right != self.lacks
        ]
        return obj | {"rules": rules}


def _of_no_place(obj: Object) -> bool:
    return "namespace" not in obj["metadata"]


class Slot:
    """One trial's place among those that proceed; an async context manager."""

    def __init__(self, slots: asyncio.Semaphore) -> None:
        self._slots = slots
        self._held = False

    async def __aenter__(self) -> Self:
        await self._slots.acquire()
        self._held = True
        return self

    def give_back(self) -> None:
        """Let another one begin; at the end at the latest."""
        if self._held:
            self._held = False
            self._slots.release()

    async def __aexit__(self, *exc: object) -> None:
        self.give_back()


class Trials:
    """Carries them out, some at a time."""

    def __init__(self, plane: ControlPlane, url: str, standin: StandIn) -> None:
        self._plane = plane
        self._standin = standin
        self._url = url
        self._rights = Rights(plane.audit_log)
        self._places = asyncio.Semaphore(AT_MOST)
        self._slots = asyncio.Semaphore(AT_THE_SAME_TIME)
        self._issuing = asyncio.Lock()  # one authority, which counts its certificates

    async def carry_out(self, trials: list[Trial]) -> None:
        """All of them, those that live long first."""
        async with Api(self._plane.kubeconfig) as api, asyncio.TaskGroup() as tasks:
            for trial in trials:
                tasks.create_task(self._carry_out(api, trial))

    async def _carry_out(self, api: Api, trial: Trial) -> None:
        async with self._places, Slot(self._slots) as slot:
            try:
                await self._live(api, trial, slot)
            except Exception:  # noqa: BLE001 - whatever it was, the test of this trial reports it
                trial.failure = traceback.format_exc()
            await remove_namespace(api, trial.namespace)
            await remove_scraper(api, trial.namespace)
            for obj in filter(_of_no_place, trial.roles()):
                await api.delete(kind_of(obj), "", obj["metadata"]["name"])

    async def _live(self, api: Api, trial: Trial, slot: Slot) -> None:
        async with self._issuing:
            kubeconfig = await asyncio.to_thread(self._plane.user_kubeconfig, trial.user)
        await api.create("namespaces", {"metadata": {"name": trial.namespace}})
        for obj in trial.roles():
            await api.create(kind_of(obj), obj)
        await self._in_force(api, trial)
        life = Life(
            Databases(api, trial.namespace),
            f"n{trial.mark}",
            self._environment(trial, kubeconfig),
            lambda: self._rights.refusals(trial.user),
            self._standin,
            stops=STOPS[trial.lacks] if trial.lacks else NOWHERE,
            idle=slot.give_back,
        )
        try:
            await life.live()
        except Stuck as stuck:
            trial.stuck = stuck.step
        trial.refused = self._rights.refused(trial.user)
        trial.used = self._rights.used(trial.user)

    async def _in_force(self, api: Api, trial: Trial) -> None:
        """Wait until the roles hold, by a right of each that is not the one that is lacking."""
        for verbs, plural in ((("list", "patch"), "daapdatabases"), (("create", "get"), "leases")):
            lacked = (trial.lacks.resource, trial.lacks.verb) if trial.lacks else None
            verb = next(verb for verb in verbs if (plural, verb) != lacked)
            name = NAME if verb == "get" else ""
            await may(api, verb, plural, trial.namespace, name=name, user=trial.user)

    def _environment(self, trial: Trial, kubeconfig: Path) -> dict[str, str]:
        return {
            "KUBECONFIG": str(kubeconfig),
            "DATABASE_URL": self._url,
            "DB_MIN_CONNS": "1",
            "DB_MAX_CONNS": "2",
            **PORTS,
            "DAAP_WATCH_NAMESPACES": trial.namespace,
            "DAAP_LEASE_NAMESPACE": trial.namespace,
            "DAAP_LEASE_NAME": NAME,
            "DAAP_LEASE_DURATION": "5m",
            "DAAP_IDENTITY": "rbac",
            "DAAP_SECRET_CHECK_INTERVAL": "1s",
        }


@pytest.fixture(scope="module")
def trials(
    request: pytest.FixtureRequest,
    control_plane: ControlPlane,
    shared_standin: StandIn,
    postgres_server: Server,
    template_database: str,
) -> dict[Permission | None, Trial]:
    """The trials that the selected tests tell of."""
    parameters = [i.callspec.params for i in request.session.items if hasattr(i, "callspec")]
    lacking = [given["lacking"] for given in parameters if "lacking" in given]
    wanted = [None, *reversed(lacking)]  # without its news a database does not live long
    made = {right: Trial(right) for right in wanted}
    with (
        postgres_server.database(template=template_database) as url,
        pytest.MonkeyPatch.context() as patch,
    ):
        for module in (kopf_watch, client):
            patch.setattr(module, "LAST_TLS_SECONDS", LAST_TLS_SECONDS)
        patch.setattr(*drills.PATCHED)
        asyncio.run(Trials(control_plane, url, shared_standin).carry_out(list(made.values())))
    return made


def test_a_life_uses_every_right_and_asks_for_no_other(
    trials: dict[Permission | None, Trial],
) -> None:
    whole = trials[None]
    assert not whole.failure, whole.failure
    assert whole.stuck is None
    assert whole.refused == set()
    assert whole.used == DECLARED


OFTEN = {right.verb: right for right in STOPS}.values()
"""One for each verb. That a whole life uses each of them, `make test` proves for all."""

LACKING = [
    pytest.param(
        right,
        id=f"{right.verb} {right.resource}",
        marks=() if right in OFTEN else nightly("faults"),
    )
    for right in STOPS
]


@pytest.mark.parametrize("lacking", LACKING)
def test_without_any_one_of_them_something_breaks(
    lacking: Permission, trials: dict[Permission | None, Trial]
) -> None:
    trial = trials[lacking]
    assert not trial.failure, trial.failure
    assert trial.refused == {lacking}
    assert lacking not in trial.used
    assert trial.stuck in STOPS[lacking]


def test_each_right_has_its_turn() -> None:
    assert STOPS.keys() == DECLARED
