"""The operator of the tests has the rights that the chart ships, and no other.

It is known by a certificate under its ServiceAccount's name, so the rendered bindings hold as they
are. Only its Lease differs from test to test.
"""

import copy
import json
import time
from functools import cache
from pathlib import Path

from daap_operator.engine.rights import Permission
from daap_operator.rights import RIGHTS
from dev.cluster import ControlPlane
from dev.cluster.errors import ClusterError
from tests.support.api import Api, Object
from tests.support.eventually import SECONDS, eventually
from tests.support.helm import render
from tests.support.kinds import RBAC, Which, kind, kind_of

NAMESPACE, NAME = "default", "daap-operator"
USER = f"system:serviceaccount:{NAMESPACE}:{NAME}"
GROUPS = ("system:serviceaccounts", f"system:serviceaccounts:{NAMESPACE}")

PAUSE_SECONDS = 0.1

DECLARED = frozenset(Permission.of(right) for right in RIGHTS)
"""What the operator says that it needs."""


def granted(rules: list[Object]) -> list[Permission]:
    """What a role's rules grant: each verb on each resource."""
    return [
        Permission(group, resource, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    ]


@cache
def shipped(*watch_namespaces: str) -> list[Object]:
    """The operator's roles and bindings as the chart has them. Not to be changed."""
    return of_the_operator(render({"watchNamespaces": list(watch_namespaces)}, namespace=NAMESPACE))


def of_the_operator(objects: list[Object]) -> list[Object]:
    """The roles and bindings among them that are the operator's."""
    return [obj for obj in objects if is_rbac(obj) and _is_the_operators(obj)]


def is_rbac(obj: Object) -> bool:
    """Whether it is a role or a binding."""
    return str(obj["apiVersion"]).startswith(f"{RBAC}/")


def _is_the_operators(obj: Object) -> bool:
    component = obj["metadata"]["labels"].get("app.kubernetes.io/component")
    return bool(component == "operator")


def environment(plane: ControlPlane) -> dict[str, str]:
    """Has an operator work on a control plane with the shipped rights."""
    return {"KUBECONFIG": str(grant(plane)), "DAAP_LEASE_NAME": NAME}


def grant(plane: ControlPlane) -> Path:
    """Have the shipped rights hold on a control plane, for the Lease `default/daap-operator`.

    Gives back the operator's kubeconfig.
    """
    listed = {"apiVersion": "v1", "kind": "List", "items": shipped()}
    plane.kubectl("apply", "--server-side", "--filename=-", input=json.dumps(listed))
    asked = ("auth", "can-i", f"--as={USER}", *(f"--as-group={group}" for group in GROUPS))
    deadline = time.monotonic() + SECONDS
    for verb, what in (
        ("watch", "daapdatabases.daap.io"),
        ("create", "leases.coordination.k8s.io"),
    ):
        while not _holds(plane, *asked, verb, what, f"--namespace={NAMESPACE}"):
            assert time.monotonic() < deadline, f"{USER} may not {verb} {what}"
            time.sleep(PAUSE_SECONDS)
    return plane.user_kubeconfig(USER, GROUPS)


def _holds(plane: ControlPlane, *asked: str) -> bool:
    try:
        plane.kubectl(*asked)
    except ClusterError:
        return False
    return True


def lease_rights(namespace: str, lease: str) -> list[Object]:
    """The same Role and RoleBinding for a Lease of another name or in another namespace."""
    made = [copy.deepcopy(obj) for obj in shipped() if obj["kind"] in ("Role", "RoleBinding")]
    role, binding = made
    for obj in made:
        obj["metadata"] |= {"namespace": namespace, "name": f"{lease}-lease"}
    for rule in role["rules"]:
        if "resourceNames" in rule:
            rule["resourceNames"] = [lease]
    binding["roleRef"]["name"] = f"{lease}-lease"
    return made


async def grant_lease(api: Api, namespace: str, lease: str) -> None:
    """Let the operator lead by that Lease; comes back when it may."""
    for obj in lease_rights(namespace, lease):
        await api.apply(kind_of(obj), obj)
    await may(api, "update", "leases", namespace, name=lease)


async def may(
    api: Api, verb: str, which: Which, namespace: str, *, name: str = "", user: str = USER
) -> None:
    """Wait until the operator, or another user, may do it: rights take effect a moment later."""
    asked = {"verb": verb, "namespace": namespace, "name": name}
    asked |= {"group": kind(which).group, "resource": kind(which).plural}
    groups = list(GROUPS) if user == USER else []
    review = {"spec": {"user": user, "groups": groups, "resourceAttributes": asked}}

    async def answer() -> bool:
        made = await api.call("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
        return bool(made["status"]["allowed"])

    await eventually(answer)
