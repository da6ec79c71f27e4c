"""Somebody who may do in a namespace what Kubernetes lets its users do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from daap_operator import names
from daap_operator.kinds import known
from dev.cluster import ControlPlane
from tests.support.api import Api, ApiError
from tests.support.eventually import eventually

RBAC = {"apiGroup": "rbac.authorization.k8s.io"}

OURS = "daap-tenants"
"""What the chart adds to the role `edit`."""


@asynccontextmanager
async def tenant(
    control_plane: ControlPlane, api: Api, user: str, namespace: str
) -> AsyncIterator[Api]:
    """A client of somebody who has Kubernetes' ClusterRole `edit` in one namespace."""
    rule = {"apiGroups": [names.GROUP], "resources": [known.DATABASE.plural], "verbs": ["*"]}
    name = {"metadata": {"name": OURS, "namespace": namespace}}
    await api.create("roles", name | {"rules": [rule]})
    for kind, role in (("ClusterRole", "edit"), ("Role", OURS)):
        binding = {"metadata": {"name": f"{user}-{role}", "namespace": namespace}}
        subjects = [{**RBAC, "kind": "User", "name": user}]
        reference = {**RBAC, "kind": kind, "name": role}
        await api.create("rolebindings", binding | {"subjects": subjects, "roleRef": reference})
    async with Api(control_plane.user_kubeconfig(user)) as client:

        async def may() -> bool:
            try:
                await client.list("deployments", namespace)
                await client.list(known.DATABASE.plural, namespace)
            except ApiError:
                return False
            return True

        await eventually(may, bool)
        yield client
