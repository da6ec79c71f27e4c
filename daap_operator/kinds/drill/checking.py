"""The Job that checks a restored database. Pure.

Two containers, one after the other: pg_amcheck from the instances' own image, then the operator's
own image, which counts, asks the queries and leaves what was found as its last words.
"""

import json
from collections.abc import Iterable

from daap_operator import names
from daap_operator.api.v1alpha1 import DrillQuery
from daap_operator.engine.child import Manifest
from daap_operator.kinds.drill.desired import labels

AMCHECK, CHECK = "amcheck", "check"
"""The containers."""

WORK, _CA = "/work", "/ca"
"""Where the containers have what pg_amcheck has written, and the authority's certificate."""
_POSTGRES_UID, _OPERATOR_UID = 26, 65532
"""The users of the images: CloudNativePG's, and the operator's own."""

TRIES = 3
"""Pods of a Job that are tried: a node may fail under one."""

_ANSWERED = "n=0; until pg_isready --quiet || [ $((n+=1)) -gt 30 ]; do sleep 1; done; "
"""Until PostgreSQL answers, for at least half a minute: a Service refuses until the node knows its
endpoints, and whatever enforces NetworkPolicies may not know a new pod yet."""

AMCHECK_COMMAND = (
    f'{_ANSWERED}pg_amcheck --install-missing --progress -- "$DRILL_DATABASE" '
    f">{WORK}/amcheck.out 2>{WORK}/amcheck.err; echo $? >{WORK}/amcheck.exit"
)
"""What its container runs. Its exit code is read from the file: a corruption is a result, and no
failure of the Job."""

_RESOURCES = {
    "requests": {"cpu": "50m", "memory": "64Mi"},
    "limits": {"cpu": "1", "memory": "256Mi"},
}


def job_spec(
    *,
    cluster: str,
    database: str,
    images: tuple[str, str],
    queries: Iterable[DrillQuery],
    seconds: int,
) -> Manifest:
    """The spec of the checking Job; `images` are PostgreSQL's and the operator's."""
    postgres, operator = images
    env = _environment(cluster, database)
    asked = [*env, *_owner(cluster), *_queries(queries)]
    check = _container(CHECK, operator, _OPERATOR_UID, asked)
    return {
        "backoffLimit": TRIES - 1,
        "activeDeadlineSeconds": seconds,
        "template": {
            "metadata": {"labels": labels(cluster)},
            "spec": {
                "restartPolicy": "Never",
                "automountServiceAccountToken": False,
                "enableServiceLinks": False,
                "securityContext": {
                    "runAsNonRoot": True,
                    "fsGroup": _OPERATOR_UID,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
                "initContainers": [
                    _container(AMCHECK, postgres, _POSTGRES_UID, env)
                    | {"command": ["/bin/sh", "-c", AMCHECK_COMMAND]}
                ],
                "containers": [check | {"args": ["drill-check"]}],
                "volumes": _volumes(cluster),
            },
        },
    }


def _container(name: str, image: str, user: int, env: list[Manifest]) -> Manifest:
    return {
        "name": name,
        "image": image,
        "env": env,
        "resources": _RESOURCES,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
            "runAsUser": user,
            "runAsGroup": user,
        },
        "volumeMounts": [
            {"name": "work", "mountPath": WORK},
            {"name": "ca", "mountPath": _CA, "readOnly": True},
        ],
    }


def _volumes(cluster: str) -> list[Manifest]:
    """Of the authority only the certificate: its Secret has the key, too."""
    ca = {"secretName": f"{cluster}-ca", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
    return [{"name": "work", "emptyDir": {"sizeLimit": "64Mi"}}, {"name": "ca", "secret": ca}]


def _environment(cluster: str, database: str) -> list[Manifest]:
    """How to reach the restored database as its superuser, as libpq reads it."""
    values = {
        "PGHOST": names.primary_service(cluster),
        "PGPORT": str(names.POSTGRES_PORT),
        "PGUSER": "postgres",
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": f"{_CA}/ca.crt",
        "PGCONNECT_TIMEOUT": "30",
        "DRILL_DATABASE": database,
        "DRILL_WORK": WORK,
    }
    password = _secret("PGPASSWORD", f"{cluster}-superuser", "password")
    return [*(_literal(name, value) for name, value in values.items()), password]


def _owner(cluster: str) -> list[Manifest]:
    """The database's owner role, as which the queries are asked."""
    keys = {"DRILL_OWNER": "username", "DRILL_OWNER_PASSWORD": "password"}
    return [_secret(name, f"{cluster}-app", key) for name, key in keys.items()]


def _queries(queries: Iterable[DrillQuery]) -> list[Manifest]:
    """The queries, each as JSON in a variable of its own: Linux takes 128 KiB of one at most."""
    dumped = (query.model_dump(exclude_none=True) for query in queries)
    told = (json.dumps(query, ensure_ascii=False) for query in dumped)
    return [
        _literal(f"{names.DRILL_QUERY}{number}", text) for number, text in enumerate(told, start=1)
    ]


def _literal(variable: str, text: str) -> Manifest:
    """A variable with exactly that text.

    In a value the kubelet puts other variables in the place of `$(NAME)`, the passwords among them,
    and `$` in the place of `$$`. A query is the team's text, and its answer is told to everybody.
    https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
    """
    return {"name": variable, "value": text.replace("$", "$$")}


def _secret(variable: str, name: str, key: str) -> Manifest:
    return {"name": variable, "valueFrom": {"secretKeyRef": {"name": name, "key": key}}}
