"""`daap-operator try`, as `helm test` runs it: with the rights that the chart gives it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from daap_operator.cli import main
from daap_operator.kinds.database.trial import LABEL, TrialError, Wish, try_out
from daap_operator.kube import Kube
from dev.cluster import ControlPlane
from tests.standin.cnpg import StandIn
from tests.support.api import Api
from tests.support.databases import Databases, database
from tests.support.eventually import eventually
from tests.support.helm import render
from tests.support.kinds import kind_of
from tests.support.operator import Operators
from tests.support.rights import is_rbac, may

USER = "helm-test"
SECONDS = 60.0


@pytest.fixture
async def wish(control_plane: ControlPlane, databases: Databases) -> Wish:
    """A database in the test's namespace, where the user may do what the chart lets him."""
    wish = Wish(databases.namespace, f"try-{databases.namespace}", "platform")
    values = {"test": {"namespace": wish.namespace}, "fullnameOverride": wish.name}
    for obj in render(values):
        if not is_rbac(obj) or not obj["metadata"]["name"].endswith("-test"):
            continue
        for rule in obj.get("rules", ()):
            rule.get("resourceNames", [])[:] = [wish.name]
        if "subjects" in obj:
            group = "rbac.authorization.k8s.io"
            obj["subjects"] = [{"apiGroup": group, "kind": "User", "name": USER}]
        await databases.api.create(kind_of(obj), obj)
    await may(databases.api, "create", "daapdatabases", wish.namespace, user=USER)
    return wish


@pytest.fixture
async def kube(control_plane: ControlPlane) -> AsyncIterator[Kube]:
    async with await Kube.connect(str(control_plane.user_kubeconfig(USER))) as kube:
        yield kube


async def test_a_database_is_made_and_deleted(
    wish: Wish, kube: Kube, databases: Databases, operators: Operators
) -> None:
    said: list[str] = []
    await operators.start()
    await try_out(kube, wish, seconds=SECONDS, say=said.append)
    assert said[0] == f"{wish} created"
    assert f"{wish} is Ready" in said
    assert said[-1] == f"{wish} is gone"
    assert await databases.get(wish.name) is None


async def test_what_a_trial_that_was_cut_off_left_is_cleared_away(
    wish: Wish, kube: Kube, databases: Databases, operators: Operators
) -> None:
    await databases.api.create("daapdatabases", wish.manifest)
    await operators.start()
    await try_out(kube, wish, seconds=SECONDS)
    assert await databases.get(wish.name) is None


async def test_a_database_of_somebody_is_left_alone(
    wish: Wish, kube: Kube, databases: Databases, operators: Operators
) -> None:
    theirs = database(wish.namespace, wish.name)
    assert LABEL not in theirs["metadata"].get("labels", {})
    await databases.api.create("daapdatabases", theirs)
    with pytest.raises(TrialError, match="not a trial's: choose another name"):
        await try_out(kube, wish, seconds=SECONDS)
    assert await databases.get(wish.name)


async def test_what_stands_in_the_way_is_told(
    wish: Wish,
    kube: Kube,
    api: Api,
    databases: Databases,
    other_namespace: str,
    operators: Operators,
) -> None:
    await operators.start()
    other = Databases(api, other_namespace)
    await other.create(wish.name)
    await other.ready(wish.name)
    with pytest.raises(TrialError, match=f"is not Ready: The name '{wish.name}' is taken"):
        await try_out(kube, wish, seconds=SECONDS)
    await databases.gone(wish.name)


async def test_a_database_that_takes_too_long_is_told_and_deleted(
    wish: Wish, kube: Kube, databases: Databases, standin: StandIn, operators: Operators
) -> None:
    standin.sleep(wish.namespace)
    await operators.start()
    with pytest.raises(TrialError, match=r"is not Ready after 10 s\. Provisioning: "):
        await try_out(kube, wish, seconds=10.0)
    await databases.gone(wish.name)


async def test_the_command(
    wish: Wish,
    control_plane: ControlPlane,
    databases: Databases,
    operators: Operators,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(control_plane.user_kubeconfig(USER)))
    words = ["try", f"--namespace={wish.namespace}", f"--name={wish.name}", "--owner-team=platform"]
    assert await asyncio.to_thread(main, [*words, "--timeout=1"]) == 1  # no operator yet
    assert "It has no status: look at the operator's log" in capsys.readouterr().err
    await operators.start()
    assert await asyncio.to_thread(main, words) == 0
    assert "is gone" in capsys.readouterr().out
    await eventually(lambda: databases.get(wish.name), lambda found: found is None)
