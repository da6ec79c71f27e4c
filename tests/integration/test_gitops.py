"""A second manager next to the operator: neither undoes, or notices, what the other writes."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from daap_operator import raw
from daap_operator.kinds import known
from dev.cluster import ControlPlane
from dev.cluster.errors import ClusterError
from tests.support.api import Object
from tests.support.databases import CHILDREN, Databases
from tests.support.eventually import eventually
from tests.support.operator import Operators

EXAMPLES: list[Object] = [
    obj
    for example in sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))
    for obj in yaml.safe_load_all(example.read_text())
    if "source" not in obj.get("spec", {})
]
"""Those that need nothing else; test_source.py applies one that is made from an archive again."""
NAMES = [obj["metadata"]["name"] for obj in EXAMPLES if obj["kind"] == known.DATABASE.name]
SCHEMAS = [obj["metadata"]["name"] for obj in EXAMPLES if obj["kind"] == known.DAAP_SCHEMA.name]
PREFIXES = {
    known.DATABASE.name: "daapdatabase.daap.io",
    known.DAAP_SCHEMA.name: "daapschema.daap.io",
    known.CONFIG_MAP.name: "configmap",
}
"""What kubectl calls objects of the examples' kinds."""

MARKS: dict[str, Object] = {
    "argocd-controller": {
        "annotations": {"argocd.argoproj.io/tracking-id": "databases:daap.io/DaapDatabase:shop/x"},
        "labels": {"app.kubernetes.io/instance": "databases"},
    },
    "kustomize-controller": {
        "labels": {
            "kustomize.toolkit.fluxcd.io/name": "databases",
            "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
        },
        "annotations": {"kustomize.toolkit.fluxcd.io/prune": "disabled"},
    },
    "kubectl-client-side-apply": {},
}
"""What each tool writes beside what is in git."""

OWN_METADATA: Object = {"f:finalizers": {".": {}, 'v:"daap.io/cleanup"': {}}}

Kubectl = Callable[..., Awaitable[str]]


def in_git(tool: str, directory: Path) -> Path:
    """The examples in one file, marked as the tool does."""
    marked = [{**obj, "metadata": _marked(obj["metadata"], tool)} for obj in EXAMPLES]
    file = directory / "databases.yaml"
    file.write_text(yaml.safe_dump_all(marked))
    return file


def _marked(metadata: Object, tool: str) -> Object:
    marks = MARKS[tool].items()
    return metadata | {part: metadata.get(part, {}) | added for part, added in marks}


def how(tool: str) -> tuple[str, ...]:
    """The options by which kubectl applies as the tool does."""
    if tool == "kubectl-client-side-apply":
        return ()
    return ("--server-side", f"--field-manager={tool}", "--force-conflicts")


def managed(obj: Object) -> dict[tuple[str, str], Any]:
    """The fields of each manager, by its name and the subresource."""
    return {
        (entry["manager"], entry.get("subresource", "")): entry["fieldsV1"]
        for entry in obj["metadata"]["managedFields"]
    }


@pytest.fixture
def kubectl(control_plane: ControlPlane, namespace: str) -> Kubectl:
    """In a thread: the operator runs in the test's own event loop."""
    place = f"--namespace={namespace}"
    return lambda *words: asyncio.to_thread(control_plane.kubectl, *words, place)


@pytest.mark.parametrize("tool", MARKS)
async def test_no_example_differs_once_it_is_applied(
    tool: str, databases: Databases, operators: Operators, kubectl: Kubectl, tmp_path: Path
) -> None:
    await operators.start()
    file = in_git(tool, tmp_path)
    await kubectl("apply", "-f", str(file), *how(tool))
    before = await at_rest(databases)
    assert await kubectl("diff", "-f", str(file), *how(tool)) == ""
    said = await kubectl("apply", "-f", str(file), *how(tool))
    after = {name: await databases.get(name) for name in NAMES}
    assert after == before
    word = "serverside-applied" if how(tool) else "unchanged"
    assert said.splitlines() == [
        f"{PREFIXES[obj['kind']]}/{obj['metadata']['name']} {word}" for obj in EXAMPLES
    ]
    for obj in before.values():
        assert obj["metadata"]["generation"] == 1
        told_by_the_operator(obj, tool)
    assert not await marks_on_children(databases)


async def at_rest(databases: Databases) -> dict[str, Object]:
    """Every example, once nothing is under way: a status that moves is a difference to kubectl."""
    found = {name: await databases.ready(name) for name in NAMES}
    for name in SCHEMAS:
        await eventually(partial(schema_phase, databases, name), lambda phase: phase == "Planning")
    return found


async def schema_phase(databases: Databases, name: str) -> str:
    """Of a DaapSchema. None gets further than Planning, since nobody runs pods here."""
    found = await databases.api.get(known.DAAP_SCHEMA, databases.namespace, name)
    return raw.text(found, "status", "phase")


def told_by_the_operator(obj: Object, tool: str) -> None:
    """The operator owns its finalizer and the status; what others wrote is as it was."""
    metadata, owners = obj["metadata"], managed(obj)
    assert {manager for manager, _ in owners} == {tool, "daap-operator"}
    assert owners["daap-operator", ""] == {"f:metadata": OWN_METADATA}
    assert set(owners["daap-operator", "status"]) == {"f:status"}
    annotations = dict(metadata.get("annotations", {}))
    annotations.pop("kubectl.kubernetes.io/last-applied-configuration", None)
    assert annotations == MARKS[tool].get("annotations", {})
    assert metadata.get("labels", {}) == MARKS[tool].get("labels", {})
    assert metadata["finalizers"] == ["daap.io/cleanup"]


async def marks_on_children(databases: Databases) -> list[str]:
    """Labels and annotations of a tool that have come to a child; it would take it for its own."""
    tools = {key for marks in MARKS.values() for part in marks.values() for key in part}
    return [
        f"{plural}/{obj['metadata']['name']}: {key}"
        for plural in CHILDREN
        for obj in await databases.api.list(plural, databases.namespace)
        for part in ("labels", "annotations")
        for key in obj["metadata"].get(part, {})
        if key in tools
    ]


async def test_a_difference_would_be_seen(
    databases: Databases, operators: Operators, kubectl: Kubectl, tmp_path: Path
) -> None:
    """An edit by hand is a difference to both kinds of diff, and goes when git is applied again."""
    await operators.start()
    tool = "argocd-controller"
    file = in_git(tool, tmp_path)
    await kubectl("apply", "-f", str(file), *how(tool))
    await at_rest(databases)
    await databases.edit("orders", purpose="By hand")
    await at_rest(databases)
    with pytest.raises(ClusterError, match="By hand"):
        await kubectl("diff", "-f", str(file), *how(tool))
    await kubectl("apply", "-f", str(file), *how(tool))
    found = (await at_rest(databases))["orders"]
    assert found["spec"]["purpose"] == "Order history of the web shop"
    assert found["metadata"]["generation"] == 3
    assert await kubectl("diff", "-f", str(file), *how(tool)) == ""
