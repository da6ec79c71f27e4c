"""What a DaapDatabase may take over of what an earlier one of its name left behind. Pure.

Why it takes this much of a proof: docs/adr/0010-what-was-retained-is-taken-over-on-proof.md
"""

from collections.abc import Iterator, Mapping
from typing import Any

from daap_operator import names, quantity, raw
from daap_operator.api.v1alpha1 import DeletionPolicy
from daap_operator.engine.ownership import OWNED
from daap_operator.kinds.database.desired import defaults, locales, recovery
from daap_operator.kinds.database.desired.resolved import Left, Resolved, tagged_major
from daap_operator.lines import line, quoted

Object = Mapping[str, Any]


def was_retained(child: Object, namespace: str, name: str) -> bool:
    """Whether a DaapDatabase of that place and name left the child behind, and nobody has it now.

    Only one object can be at a place: whoever asks on behalf of the one that is there knows that
    the one before is gone.
    """
    metadata = raw.mapping(child, "metadata")
    return (
        raw.text(metadata, "labels", names.MANAGED_BY_LABEL) == names.FIELD_MANAGER
        and raw.text(metadata, "annotations", names.RETAINED_FROM) == f"{namespace}/{name}"
        and raw.text(metadata, "namespace") == namespace
        and not raw.items(metadata, "ownerReferences")
    )


def major_version(cluster: Object) -> int | None:
    """The major version a Cluster was last asked to run; None when nothing tells.

    `cluster` is the object, or what the store keeps of it.
    """
    image = raw.text(cluster, "spec", "imageName") or raw.text(cluster, OWNED, "spec", "imageName")
    said = raw.number(cluster, "status", "pgDataImageInfo", "majorVersion")
    return tagged_major(image) or said or None


def left(cluster: Object) -> Left:
    """What a Cluster was made as; `cluster` is the object, or what the store keeps of it."""
    applied = raw.mapping(cluster, OWNED, "spec") or raw.mapping(cluster, "spec")
    source = recovery.of_cluster(applied)
    return Left(
        postgres_version=major_version(cluster),
        defaults=defaults.of_cluster(raw.mapping(cluster, "metadata", "annotations")),
        locale=None if source else locales.of_initdb(raw.mapping(applied, "bootstrap", "initdb")),
        source=source,
    )


def objections(cluster: Object, database: Resolved, volumes: str | None = None) -> list[str]:
    """Why a retained Cluster is not taken over, each with its remedy; empty when it may be.

    `volumes` is the size that its volumes really have, where that is known.
    """
    return [*_of_intent(cluster, database), *_of_fit(cluster, database, volumes)]


def _of_intent(cluster: Object, database: Resolved) -> Iterator[str]:
    if database.spec.deletion_policy is not DeletionPolicy.RETAIN:
        yield (
            "spec.deletionPolicy is 'Delete', which would one day delete what was to be kept: "
            "set it to 'Retain'"
        )
    if database.spec.source is not None:
        yield (
            "spec.source asks for data from an archive, and it has data of its own: remove "
            "spec.source to take it over"
        )
    team = line(raw.text(cluster, "metadata", "annotations", names.RETAINED_TEAM))
    if team != database.spec.owner_team:
        yield (
            f"it was the team '{quoted(team)}' that kept it, and spec.ownerTeam is "
            f"'{database.spec.owner_team}': set it to that team, it can be changed afterwards"
        )


def _of_fit(cluster: Object, database: Resolved, volumes: str | None) -> Iterator[str]:
    begun = raw.mapping(cluster, "spec", "bootstrap")
    holds = raw.text(begun, "initdb", "database") or raw.text(begun, "recovery", "database")
    if holds != database.database:
        yield _created_again("spec.databaseName", holds, database.database)
    version = major_version(cluster)
    if version != database.postgres_version:
        yield _created_again("spec.postgresVersion", version, database.postgres_version)
    locale = left(cluster).locale
    if locale and locale != database.locale:
        yield _created_again("spec.locale", locale, database.locale)
    storage_class = raw.text(cluster, "spec", "storage", "storageClass")
    asked_class = database.spec.storage.storage_class or ""
    if storage_class != asked_class:
        yield _created_again("spec.storage.storageClass", storage_class, asked_class)
    size = volumes or raw.text(cluster, "spec", "storage", "size")
    if _smaller(database.spec.storage.size, size):
        yield (
            f"its volumes have {quoted(size)}, spec.storage.size is "
            f"'{database.spec.storage.size}', and volumes never shrink: raise it"
        )


def _created_again(field: str, there: object, asked: object) -> str:
    """For what cannot be changed once it was allotted."""
    found = _quoted(there) if there else "none"
    remedy = f"with {found}" if there else "without"
    return (
        f"it has {found} where {field} asks for {_quoted(asked)}: delete this "
        f"DaapDatabase, which leaves the Cluster alone, and create it {remedy}"
    )


def _quoted(value: object) -> str:
    """As it stands in YAML: a number without quotes."""
    return str(value) if isinstance(value, int) else f"'{quoted(str(value))}'"


def _smaller(asked: str, there: str) -> bool:
    try:
        return quantity.parse(asked) < quantity.parse(there)
    except ValueError:
        return True
