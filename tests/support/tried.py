"""Writes that are only tried: what the API server has against them now.

It takes up webhooks, quotas and their end a moment after they were written.
"""

from tests.support.api import Api, ApiError, path


async def new_cluster(api: Api, namespace: str) -> str:
    """What it says against a new Cluster; empty when it would take it."""
    body = {
        "apiVersion": "postgresql.cnpg.io/v1",
        "kind": "Cluster",
        "metadata": {"name": "tried"},
        "spec": {"instances": 1, "storage": {"size": "1Gi"}},
    }
    try:
        await api.call("POST", f"{path('clusters', namespace)}?dryRun=All", body)
    except ApiError as error:
        return error.message
    return ""
