"""Whether the pooler serves the certificates that the Cluster has now. Pure.

CloudNativePG has PgBouncer read its certificates again when the Pooler changes, or when it sees the
Secrets change. A Secret that is removed and made anew it may miss for hours. Its status says which
versions the pooler's pods were last told to read, and the Cluster's which versions there are.
"""

from collections.abc import Mapping
from typing import Any

from daap_operator import names, raw

Object = Mapping[str, Any]

_AUTHORITY = ("serverCaSecretVersion", "serverCA", "ca")
_SERVER = ("serverSecretVersion", "clientTLS", "server")


def authority_differs(cluster: Object | None, pooler: Object | None) -> bool:
    """Whether the pooler's certificate is of another authority than that which clients are told."""
    return _differs(cluster, pooler, *_AUTHORITY)


def server_differs(cluster: Object | None, pooler: Object | None) -> bool:
    """Whether the pooler still serves an earlier certificate."""
    return _differs(cluster, pooler, *_SERVER)


def mark(cluster: Object | None, pooler: Object | None) -> str:
    """The Pooler's annotation: a new value has CloudNativePG and all pods look at the Secrets.

    As it is while there is nothing to be told, so that nothing is written for nothing.
    """
    if authority_differs(cluster, pooler) or server_differs(cluster, pooler):
        versions = raw.mapping(cluster, "status", "secretsResourceVersion")
        return ".".join(raw.text(versions, field) or "0" for field, _, _ in (_AUTHORITY, _SERVER))
    return raw.text(pooler, "metadata", "annotations", names.CERTIFICATES)


def _differs(
    cluster: Object | None, pooler: Object | None, field: str, place: str, name: str
) -> bool:
    """By the Secrets that CloudNativePG makes; who gave the Pooler others looks after them."""
    wanted = raw.text(cluster, "status", "secretsResourceVersion", field)
    told = raw.mapping(pooler, "status", "secrets", place)
    own = f"{raw.text(cluster, 'metadata', 'name')}-{name}"
    served = raw.text(told, "version")
    return raw.text(told, "name") == own and bool(wanted and served) and wanted != served
