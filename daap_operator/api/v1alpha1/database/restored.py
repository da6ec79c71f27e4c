"""The restore in place that a database has taken on."""

from typing import Annotated

from pydantic import Field

from daap_operator.api.base import Model


class RestoredStatus(Model):
    """The latest restore in place. Written before its Cluster is deleted, so that an operator that
    ends at any moment neither deletes another one nor creates an empty one."""

    name: Annotated[str, Field(max_length=253)]
    """Name of the DaapRestore."""

    uid: Annotated[str, Field(max_length=64)]
    """uid of the DaapRestore."""

    replaced_cluster_uid: Annotated[str, Field(max_length=64)]
    """uid of the one Cluster that is deleted for it."""

    cluster_uid: Annotated[str | None, Field(max_length=64)] = None
    """uid of the Cluster that has what was restored, and that this status speaks of; absent until
    there is one."""
