"""The Job that plans, applies or verifies a schema's files. Pure.

One container of the operator's own image, without a token, as the database's owner, straight to the
primary. The files are mounted as they are: a ConfigMap by its name, an image by its digest, inline
files as annotations of the pod.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from daap_operator import names
from daap_operator.api.v1alpha1 import DaapSchemaSpec, FileSource
from daap_operator.engine.child import Child, Manifest, Owner, Reasons, made_once
from daap_operator.engine.ownership import owner_labels
from daap_operator.errors import Problem
from daap_operator.kinds import known
from daap_operator.kinds.schema.reasons import SchemaReason
from daap_operator.kinds.schema.sources import PARTS, parts, pull_secrets
from daap_operator.kube import ApiError

CONTAINER = "schema"
INLINE = "daap.io/inline-"
"""How the pod's annotations with inline files begin: then come the part and two numbers."""
TRIES = 5
"""Pods of a Job that are tried: a node may fail under one."""
KEPT_SECONDS = 3600
"""How long a Job that is over stays, for people who read its log."""

_FILES, _CA, _WORK = "/files", "/ca", "/work"
_USER = 65532
"""Of the operator's image."""
_DECIDED = (2, 3)
"""Exit codes with which the runner itself has ended: when to try again is the operator's to say."""

_RESOURCES = {
    "requests": {"cpu": "50m", "memory": "128Mi"},
    "limits": {"cpu": "1", "memory": "512Mi"},
}

_REASONS = Reasons(
    pending=SchemaReason.JOB_PENDING,
    deleted=SchemaReason.JOB_PENDING,
    leftover=SchemaReason.JOB_PENDING,
    conflict=SchemaReason.OBJECT_CONFLICT,
    rejected=SchemaReason.REJECTED,
)


class Order(NamedTuple):
    """A Job to be made."""

    name: str
    cluster: str
    """The database's Cluster."""
    database: str
    """The database's name in PostgreSQL."""
    image: str
    """The operator's own."""
    arguments: Sequence[str]
    """Of `daap-operator schema`, without the files."""
    keys: Mapping[str, Sequence[str]] = MappingProxyType({})
    """The keys of ConfigMaps of which not all are files, by the names of their volumes."""
    labels: Mapping[str, str] = MappingProxyType({})
    """Of its pod, besides its own: what a drill's copy lets in."""


def child(owner: Owner, name: str, manifest: Manifest | None = None) -> Child:
    """A Job of a schema; without a manifest it is only to be found or deleted. Never repaired."""
    return Child(
        known.JOB,
        owner.namespace,
        name,
        _REASONS,
        manifest,
        immutable=True,
        compared=made_once,
        refused=_refused,
    )


def _refused(error: ApiError, manifest: Manifest) -> Problem | ApiError:
    del manifest
    return error


def manifest(owner: Owner, order: Order, spec: DaapSchemaSpec) -> Manifest:
    """The whole Job; `spec` has the inline files' text."""
    return {
        "apiVersion": known.JOB.api_version,
        "kind": known.JOB.name,
        "metadata": {
            "namespace": owner.namespace,
            "name": order.name,
            "labels": {
                "app.kubernetes.io/name": "daapschema",
                "app.kubernetes.io/part-of": "daap",
                names.SCHEMA_LABEL: order.name,
                **owner_labels(owner.kind, owner.uid),
            },
            "ownerReferences": [owner.reference],
        },
        "spec": {
            "backoffLimit": TRIES - 1,
            "ttlSecondsAfterFinished": KEPT_SECONDS,
            "podFailurePolicy": {
                "rules": [
                    {
                        "action": "FailJob",
                        "onExitCodes": {
                            "containerName": CONTAINER,
                            "operator": "In",
                            "values": list(_DECIDED),
                        },
                    },
                ]
            },
            "template": _template(order, spec),
        },
    }


def _template(order: Order, spec: DaapSchemaSpec) -> Manifest:
    annotations = _inline(spec)
    return {
        "metadata": {
            "labels": {names.SCHEMA_LABEL: order.name, **order.labels},
            **({"annotations": annotations} if annotations else {}),
        },
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": {
                "runAsNonRoot": True,
                "fsGroup": _USER,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            **_pulled(spec),
            "containers": [_container(order, spec)],
            "volumes": [
                {"name": "work", "emptyDir": {"sizeLimit": "64Mi"}},
                {"name": "ca", "secret": _authority(order.cluster)},
                *(volume for _, volume in _mounted(order, spec)),
            ],
        },
    }


def _container(order: Order, spec: DaapSchemaSpec) -> Manifest:
    return {
        "name": CONTAINER,
        "image": order.image,
        "args": ["schema", *order.arguments, *_paths(spec)],
        "env": _environment(order.cluster, order.database),
        "resources": _RESOURCES,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
        },
        "volumeMounts": [
            {"name": "work", "mountPath": _WORK},
            {"name": "ca", "mountPath": _CA, "readOnly": True},
            *(
                {"name": volume["name"], "mountPath": path, "readOnly": True}
                for path, volume in _mounted(order, spec)
            ),
        ],
    }


def _authority(cluster: str) -> Manifest:
    """Of the authority only the certificate: its Secret has the key, too."""
    return {"secretName": f"{cluster}-ca", "items": [{"key": "ca.crt", "path": "ca.crt"}]}


def _environment(cluster: str, database: str) -> list[Manifest]:
    """How to reach the database as its owner, as libpq reads it; never through the pooler.

    Its name is not read from the owner's Secret: that of a Cluster that was restored has none.
    """
    values = {
        "PGHOST": names.primary_service(cluster),
        "PGPORT": str(names.POSTGRES_PORT),
        "PGDATABASE": database,
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": f"{_CA}/ca.crt",
        "PGCONNECT_TIMEOUT": "30",
        "TMPDIR": _WORK,
    }
    secret = {"PGUSER": "username", "PGPASSWORD": "password"}
    return [
        *({"name": name, "value": value} for name, value in values.items()),
        *(
            {
                "name": name,
                "valueFrom": {"secretKeyRef": {"name": f"{cluster}-app", "key": key}},
            }
            for name, key in secret.items()
        ),
    ]


# --- the files ------------------------------------------------------------------------------------


def _paths(spec: DaapSchemaSpec) -> list[str]:
    """Where the files are, as the command has it: what is no option comes last."""
    options, schema = [], []
    for name, source in parts(spec):
        part, place = name.partition("-")[0], f"{_FILES}/{name}"
        if source.image is not None:
            path = (source.image.path or "").strip("/")
            options.append(f"--{part}-image={place}:{path}:{source.image.files}")
        elif part == PARTS[0]:
            schema.append(place)
        else:
            options.append(f"--fixtures={place}")
    return [*options, *schema]


def _pulled(spec: DaapSchemaSpec) -> Manifest:
    """By which Secrets the kubelet pulls; without one, by the service account's."""
    named = pull_secrets(spec)
    return {"imagePullSecrets": [{"name": name} for name in named]} if named else {}


def _mounted(order: Order, spec: DaapSchemaSpec) -> list[tuple[str, Manifest]]:
    """Where each source is mounted, and its volume."""
    return [(f"{_FILES}/{name}", _volume(name, source, order)) for name, source in parts(spec)]


def _volume(name: str, source: FileSource, order: Order) -> Manifest:
    if source.config_map is not None:
        of: Manifest = {"name": source.config_map.name}
        if (keys := order.keys.get(name)) is not None:
            of["items"] = [{"key": key, "path": key} for key in keys]
        return {"name": name, "configMap": of}
    if source.image is not None:
        image = {"reference": source.image.reference, "pullPolicy": "IfNotPresent"}
        return {"name": name, "image": image}
    files = [
        {
            "path": file.name,
            "fieldRef": {"fieldPath": f"metadata.annotations['{INLINE}{name}-{number}']"},
        }
        for number, file in enumerate(source.inline or ())
    ]
    return {"name": name, "downwardAPI": {"items": files}}


def _inline(spec: DaapSchemaSpec) -> dict[str, str]:
    return {
        f"{INLINE}{name}-{number}": file.sql
        for name, source in parts(spec)
        for number, file in enumerate(source.inline or ())
    }
