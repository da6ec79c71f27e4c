"""What is seen of a database: its children, and what matters of them. Pure."""

from dataclasses import dataclass, field
from typing import Any

from daap_operator.findings import Finding, Reason
from daap_operator.kinds.database.desired.secret import CredentialVersions
from daap_operator.kinds.database.phases import ClusterPhase, Meaning

Object = dict[str, Any]


@dataclass(frozen=True)
class Children:
    """The children of one database as the store has them; None where there is none."""

    cluster: Object | None = None
    pooler: Object | None = None
    deployment: Object | None = None
    endpoints: tuple[Object, ...] = ()
    """The EndpointSlices of the Service in front of the primary."""
    pooler_endpoints: tuple[Object, ...] = ()
    """The EndpointSlices of the Pooler's Service."""
    account: Object | None = None
    """The Cluster's ServiceAccount."""
    pods: tuple[Object, ...] = ()
    """All pods of the Cluster: its instances', its Jobs' and its Pooler's."""
    claims: tuple[Object, ...] = ()
    """The Cluster's PersistentVolumeClaims."""


@dataclass(frozen=True)
class Awaited(Finding):
    """Why clients are not served: the first thing they would miss."""

    meaning: Meaning


@dataclass(frozen=True)
class Observed:
    """What matters of the children."""

    awaited: Awaited | None
    """What keeps clients from being served; None while they are."""
    action: Finding | None
    """Why CloudNativePG waits for a person, whether clients are served or not."""
    unsettled: str
    """What is still being changed, for people; empty once all that was asked for is there."""
    unsettled_reason: Reason | None = field(default=None, kw_only=True)
    """Why it does not get on; None when nothing is known to be in its way."""
    phase: ClusterPhase
    instances: int | None
    ready_instances: int | None
    postgres_version: int | None
    """Major version of the data directory."""
    storage: str | None
    """Size that each volume has, the smallest where they differ; None while there is none."""
    credentials: CredentialVersions | None
    """Versions of the Secrets with the credentials, once CloudNativePG has made them."""

    @property
    def serving(self) -> bool:
        """Whether a client can connect through the published host now."""
        return self.awaited is None
