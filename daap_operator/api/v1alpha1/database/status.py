"""What the operator last saw."""

from typing import Annotated

from pydantic import Field

from daap_operator.api.base import Model
from daap_operator.api.meta import Phase, Status
from daap_operator.api.v1alpha1.database.backup import BackupStatus
from daap_operator.api.v1alpha1.database.restored import RestoredStatus
from daap_operator.api.v1alpha1.database.source import SourceStatus


class Binding(Model):
    """The service binding's duck type: https://servicebinding.io."""

    name: Annotated[str | None, Field(max_length=253)] = None
    """Name of the Secret to bind."""


class DaapDatabaseStatus(Status):
    """What the operator last saw. Never a secret."""

    phase: Phase | None = None
    """The database's life in one word; the conditions say more."""

    host: Annotated[str | None, Field(max_length=253)] = None
    """Full DNS name clients connect to: the pooler."""

    port: Annotated[int | None, Field(ge=1, le=65535)] = None
    """Port clients connect to."""

    database_name: Annotated[str | None, Field(max_length=63)] = None
    """Name of the database inside PostgreSQL."""

    username: Annotated[str | None, Field(max_length=63)] = None
    """Role that owns the database; its password is in the Secret."""

    secret_name: Annotated[str | None, Field(max_length=253)] = None
    """Name of the Secret with the connection details, in this namespace."""

    secret_revision: Annotated[str | None, Field(max_length=64)] = None
    """Changes whenever the Secret's content does: a hook for restarting clients."""

    pending_secret: Annotated[str | None, Field(max_length=253)] = None
    """Name of a connection Secret that is being created or has to be removed. Noted from before the
    Secret is written until `secretName` names it, so that none is ever forgotten."""

    binding: Binding | None = None
    """The same Secret, where service binding looks for it."""

    cluster_name: Annotated[str | None, Field(max_length=63)] = None
    """Name of the CloudNativePG Cluster. Set once, when this object is given its name."""

    pooler_name: Annotated[str | None, Field(max_length=63)] = None
    """Name of the CloudNativePG Pooler."""

    postgres_version: Annotated[int | None, Field(ge=1)] = None
    """PostgreSQL's major version: that of the data, which an upgrade changes once it is done."""

    defaults_revision: Annotated[int | None, Field(ge=1)] = None
    """Revision of the operator's defaults that the Cluster and the Pooler are made from. A live
    database keeps its own until the annotation `daap.io/defaults-revision` asks for a newer one."""

    locale: Annotated[str | None, Field(max_length=80)] = None
    """The database's locale as `provider/locale`. Set once, before the Cluster is created."""

    instances: Annotated[int | None, Field(ge=0)] = None
    """Number of instances that exist."""

    ready_instances: Annotated[int | None, Field(ge=0)] = None
    """Number of instances that are ready."""

    storage: Annotated[str | None, Field(max_length=32)] = None
    """Size that the volume of each instance has, the smallest where they differ; absent while there
    is none."""

    source: SourceStatus | None = None
    """What the data was restored from; absent for a database that began empty."""

    restore: RestoredStatus | None = None
    """The latest restore in place; absent for a database that never had one."""

    backup: BackupStatus | None = None
    """What there is of the backups; absent for a database that never had any."""


CONDITION_TYPES = (
    "`Ready`: clients can connect through `host` now. `Reconciling`: a change is under way. "
    "`Stalled`: somebody must act, whether clients are served or not. `MetadataSynced`: the "
    "platform's inventory has this state. `BackupHealthy`: the database can be restored from "
    "backups as recent as was asked for; absent while it has none to make."
)
"""What the conditions of a DaapDatabase mean."""
