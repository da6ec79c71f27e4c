"""Write the connection Secret, and find out without a request whether it has to be written.

Secrets are neither listed nor watched. The revision in the status says what the Secret was last
made from; CloudNativePG reports in the Cluster's status which versions of its own Secrets count.
Only when these differ, or the slow check of an unchanged Secret is due, is anything read.
"""

import json
import logging
from typing import Any

from daap_operator import names, raw
from daap_operator.api.v1alpha1 import DaapDatabaseStatus
from daap_operator.engine.kinds import Ref
from daap_operator.engine.ownership import others
from daap_operator.errors import Stalled, Waiting
from daap_operator.kinds import known
from daap_operator.kinds.database.adoption import objections, was_retained
from daap_operator.kinds.database.desired.resolved import Manifest, Resolved
from daap_operator.kinds.database.desired.secret import (
    DatabaseCredentials,
    app_secret,
    connection_secret,
    revision,
)
from daap_operator.kinds.database.memory import DatabaseTurn, DatabaseWorld
from daap_operator.kinds.database.naming import ref
from daap_operator.kinds.database.ownership import belongs_to
from daap_operator.kinds.database.reasons import DatabaseReason
from daap_operator.kinds.database.seen import Observed
from daap_operator.kinds.database.status import Published
from daap_operator.kube import ApiError, refusal, unchanged

Object = dict[str, Any]

_METADATA = ("metadata.annotations", "metadata.labels")

log = logging.getLogger(__name__)


async def publish(
    world: DatabaseWorld, database: Resolved, observed: Observed, before: DaapDatabaseStatus
) -> Published | None:
    """Make the connection Secret what it should be.

    The Secret appears when the database first serves: a client that waits for it starts at the
    right moment. None until then. Raises Stalled when another has its name, and Waiting when
    CloudNativePG's credentials are gone for the moment.
    """
    if observed.credentials is None or not (observed.serving or before.secret_name):
        world.notes_of(ref(database.namespace, database.name)).secret_due = None  # nothing to check
        return None
    wanted = revision(database, observed.credentials)
    current = (
        before.secret_revision == wanted
        and before.secret_name == database.secret
        and before.pending_secret is None
    )
    if current and not _check_due(world, database):
        username = before.username or database.database
        return Published(database.host, database.secret, wanted, username)
    credentials = await _credentials(world, database)
    manifest = connection_secret(database, credentials)
    await _write(world, manifest, database, expected=before.secret_name == database.secret)
    _checked(world, database)
    for name in (before.secret_name, before.pending_secret):
        if name and name != database.secret:
            await remove_secret(
                world, database.namespace, name, database.uid, left_by=database.name
            )
    return Published(database.host, database.secret, wanted, credentials.username)


async def note_name(world: DatabaseWorld, turn: DatabaseTurn, database: Resolved) -> None:
    """Put the connection Secret's name into the status before any Secret has it.

    A process that dies after the Secret was written, or a name that changes meanwhile, would
    otherwise leave a Secret that nobody knows of: Secrets are not listed.
    """
    before = turn.subject.status
    if database.secret in (before.secret_name, before.pending_secret):
        return
    if before.pending_secret:
        await remove_secret(world, database.namespace, before.pending_secret, database.uid)
    await turn.note(pending_secret=database.secret)


async def note_retained(world: DatabaseWorld, turn: DatabaseTurn, database: Resolved) -> None:
    """Put the name of the Secret that was retained with a Cluster into the status.

    Before the Cluster is taken over, and only if it will be: from then on nothing else tells the
    name. When it is not the one that is asked for, the Secret goes once its successor is there.
    """
    cluster = world.store.get(Ref(known.CLUSTER, database.namespace, database.cluster))
    name = _retained_secret(cluster, database)
    if name in ("", database.secret, turn.subject.status.secret_name):
        return
    found = await world.kube.get(known.CLUSTER, database.namespace, database.cluster)
    if _retained_secret(found, database) == name and not objections(found or {}, database):
        await turn.note(secret_name=name)


def _retained_secret(cluster: Object | None, database: Resolved) -> str:
    """What a Cluster that nobody has now says of its Secret; empty when somebody has it."""
    if cluster is None or not was_retained(cluster, database.namespace, database.name):
        return ""
    if belongs_to(cluster, database.uid):
        return ""
    return raw.text(cluster, "metadata", "annotations", names.RETAINED_SECRET)


def _check_due(world: DatabaseWorld, database: Resolved) -> bool:
    """Whether the Secret is to be looked at although nothing says that it changed."""
    interval = world.secret_check.total_seconds()
    notes = world.notes_of(ref(database.namespace, database.name))
    now = world.monotonic()
    if not interval:
        notes.secret_due = None
        return False
    due = notes.secret_due is not None and notes.secret_due <= now
    if notes.secret_due is None:  # a new process: none soon after its start, and then spread out
        notes.secret_due = now + world.random.uniform(0.5, 1.5) * interval
    elif due:
        _checked(world, database)
    return due


def _checked(world: DatabaseWorld, database: Resolved) -> None:
    """The Secret is as it should be: the next look at it is an interval away."""
    interval = world.secret_check.total_seconds()
    if interval:
        notes = world.notes_of(ref(database.namespace, database.name))
        notes.secret_due = world.monotonic() + interval


async def _credentials(world: DatabaseWorld, database: Resolved) -> DatabaseCredentials:
    application = await _get(world, database, app_secret(database.cluster))
    authority = await _get(world, database, f"{database.cluster}-ca")
    credentials = DatabaseCredentials(
        username=raw.decoded(application, "data", "username"),
        password=raw.decoded(application, "data", "password"),
        ca=raw.decoded(authority, "data", "ca.crt"),
    )
    if not (credentials.username and credentials.password and credentials.ca):
        raise Waiting(
            DatabaseReason.CREDENTIALS_PENDING,
            f"CloudNativePG's Secrets {database.cluster}-app and {database.cluster}-ca lack the "
            "username, the password or the certificate",
        )
    if len(credentials.username) > names.POSTGRES_NAME_LIMIT:
        raise Waiting(
            DatabaseReason.CREDENTIALS_PENDING,
            f"The username in CloudNativePG's Secret {database.cluster}-app is longer than the "
            f"{names.POSTGRES_NAME_LIMIT} characters PostgreSQL allows: somebody has changed it",
        )
    return credentials


async def _get(world: DatabaseWorld, database: Resolved, name: str) -> Object:
    found = await world.kube.get(known.SECRET, database.namespace, name)
    if found is None:
        raise Waiting(
            DatabaseReason.CREDENTIALS_PENDING,
            f"CloudNativePG's Secret {name} is missing; it will be created again",
        )
    return found


async def _write(
    world: DatabaseWorld, manifest: Manifest, database: Resolved, *, expected: bool
) -> None:
    """Create the Secret or repair it; `expected` says which to try first."""
    namespace, name = manifest["metadata"]["namespace"], manifest["metadata"]["name"]
    found = await world.kube.get(known.SECRET, namespace, name) if expected else None
    if found is None:
        try:
            await world.kube.create_plain(known.SECRET, manifest)
        except ApiError as error:
            if not error.conflict:
                raise _secret_refusal(error, name) from error
            found = await world.kube.get(known.SECRET, namespace, name)
        else:
            log.info("Secret created", extra={"key": _key(database), "child": name})
            return
    if found is None:
        raise Waiting(
            DatabaseReason.CREDENTIALS_PENDING, f"Secret {name} has just changed", seconds=1.0
        )
    await _repair(world, manifest, found, database)


async def _repair(
    world: DatabaseWorld, manifest: Manifest, found: Object, database: Resolved
) -> None:
    name = manifest["metadata"]["name"]
    # What was published for the Cluster before is taken over with it: by now the Cluster is ours
    retained = was_retained(found, database.namespace, database.name)
    if not belongs_to(found, database.uid) and not retained:
        raise Stalled(
            DatabaseReason.SECRET_NAME_TAKEN,
            f"Secret {name} exists and was not created for this DaapDatabase, so it is not "
            "touched: remove it, or set spec.connectionSecretName to another name",
        )
    wanted = merged(manifest, found)
    if wanted == found:
        return
    if raw.text(found, "type") != manifest["type"]:  # a Secret's type cannot be changed
        await world.kube.delete(
            known.SECRET, database.namespace, name, uid=raw.text(found, "metadata", "uid")
        )
        raise Waiting(
            DatabaseReason.CREDENTIALS_PENDING, f"Secret {name} is being created again", seconds=1.0
        )
    version = raw.text(found, "metadata", "resourceVersion")
    try:
        with unchanged(f"Secret {name}", reason=DatabaseReason.CREDENTIALS_PENDING):
            await world.kube.replace(known.SECRET, wanted, version=version)
    except ApiError as error:
        raise _secret_refusal(error, name) from error
    log.info("Secret changed", extra={"key": _key(database), "child": name})


def merged(manifest: Manifest, found: Object) -> Object:
    """The Secret as it should be, with what others put into its metadata. Pure."""
    metadata = dict(found["metadata"])
    labels, annotations = _others(metadata)
    metadata["labels"] = labels | manifest["metadata"]["labels"]
    uid = raw.text(manifest, "metadata", "labels", known.DATABASE.uid_label)
    references = [*others(found, uid), *manifest["metadata"].get("ownerReferences", ())]
    annotations.pop(names.RETAINED_FROM, None)
    annotations |= manifest["metadata"].get("annotations", {})
    for field, value in (("ownerReferences", references), ("annotations", annotations)):
        metadata.pop(field, None)
        if value:
            metadata[field] = value
    return found | {"metadata": metadata, "data": manifest["data"]}


def _others(metadata: Object) -> tuple[Object, Object]:
    """Labels and annotations without those that an earlier spec asked for."""
    labels = dict(raw.mapping(metadata, "labels"))
    annotations = dict(raw.mapping(metadata, "annotations"))
    try:
        earlier = json.loads(raw.text(annotations, names.SECRET_METADATA) or "{}")
    except (ValueError, RecursionError):
        earlier = {}
    annotations.pop(names.SECRET_METADATA, None)
    for kept, field in ((labels, "labels"), (annotations, "annotations")):
        for key in raw.texts(earlier, field):
            kept.pop(key, None)
    return labels, annotations


def _secret_refusal(error: ApiError, name: str) -> Stalled | Waiting | ApiError:
    if error.invalid:
        of_metadata = any(field.startswith(_METADATA) for field in error.fields)
        remedy = (
            "Ask for less in spec.connectionSecretMetadata, or remove what others put on the Secret"
            if of_metadata
            else "Set spec.connectionSecretName to another name, or remove what is in the way"
        )
        told = f"The API server refuses Secret {name}: {error.words}. {remedy}"
        return Stalled(DatabaseReason.REJECTED, told)
    return refusal(error, f"Secret {name}")


async def remove_secret(
    world: DatabaseWorld, namespace: str, name: str, uid: str, *, left_by: str = ""
) -> None:
    """Delete a connection Secret that belongs to the database with that uid; leave any other.

    An exception: a Secret that an earlier DaapDatabase named `left_by` left behind is deleted too.
    """
    found = await world.kube.get(known.SECRET, namespace, name)
    if found is None:
        return
    if belongs_to(found, uid) or (left_by and was_retained(found, namespace, left_by)):
        own = raw.text(found, "metadata", "uid")
        await world.kube.delete(known.SECRET, namespace, name, uid=own)


def _key(database: Resolved) -> Ref:
    return ref(database.namespace, database.name)
