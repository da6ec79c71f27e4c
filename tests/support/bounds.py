"""Children as a database has them, and as whoever has the operator's token might make them."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

Object = dict[str, Any]

UNIT = Path(__file__).parents[1] / "unit"
PLURALS = {
    "Cluster": "clusters",
    "Pooler": "poolers",
    "ScheduledBackup": "scheduledbackups",
    "Secret": "secrets",
}

Change = Callable[[Object], object]


def examples() -> list[Any]:
    """Everything that the golden files, or the first version of the operator, make."""
    files = sorted((UNIT / "golden").glob("*.yaml"))
    made = {file.stem: list(yaml.safe_load_all(file.read_text())) for file in files}
    first = yaml.safe_load((UNIT / "first_defaults.yaml").read_text())
    for name, case in first.items():
        made[f"first-{name}"] = [older(child) for child in case["children"]]
    return [
        pytest.param(child, id=f"{name} {child['kind']}")
        for name, children in made.items()
        for child in children
    ]


def older(child: Object) -> Object:
    """A child of an earlier version, with the image that the chart is set to now."""
    if child["kind"] == "Cluster":
        child["spec"]["imageName"] = "ghcr.io/cloudnative-pg/postgresql:16-standard-trixie"
    return child


def made(kind: str, place: str) -> Object:
    """A child that a retained DaapDatabase left behind: nothing owns it, and nobody collects it."""
    example = "backed-up.yaml" if kind == "ScheduledBackup" else "retained.yaml"
    children = yaml.safe_load_all((UNIT / "golden" / example).read_text())
    child: Object = next(child for child in children if child["kind"] == kind)
    child["metadata"]["namespace"] = place
    child["metadata"].pop("ownerReferences", None)
    return child


COMPLETED: Object = {
    "postgresql": {
        "parameters": {
            "archive_mode": "on",
            "archive_timeout": "5min",
            "dynamic_shared_memory_type": "posix",
            "full_page_writes": "on",
            "log_destination": "csvlog",
            "log_directory": "/controller/log",
            "log_filename": "postgres",
            "log_rotation_age": "0",
            "log_rotation_size": "0",
            "log_truncate_on_rotation": "false",
            "logging_collector": "on",
            "max_parallel_workers": "32",
            "max_replication_slots": "32",
            "max_worker_processes": "32",
            "shared_memory_type": "mmap",
            "shared_preload_libraries": "",
            "ssl_max_protocol_version": "TLSv1.3",
            "ssl_min_protocol_version": "TLSv1.3",
            "wal_keep_size": "512MB",
            "wal_level": "logical",
            "wal_log_hints": "on",
            "wal_receiver_timeout": "5s",
            "wal_sender_timeout": "5s",
        },
        "syncReplicaElectionConstraint": {"enabled": False},
    },
    "replicationSlots": {
        "highAvailability": {"enabled": True, "slotPrefix": "_cnpg_"},
        "synchronizeReplicas": {"enabled": True},
    },
    "affinity": {"podAntiAffinityType": "preferred"},
    "monitoring": {
        "customQueriesConfigMap": [{"name": "cnpg-default-monitoring", "key": "queries"}]
    },
    "logLevel": "info",
    "probes": {
        "liveness": {
            "isolationCheck": {"enabled": True, "requestTimeout": 1000, "connectionTimeout": 1000}
        }
    },
}
"""What the webhook of CloudNativePG 1.30 adds to the spec of a Cluster: printed by its own code."""


def completed(cluster: Object) -> Object:
    """A Cluster as CloudNativePG's webhook hands it on to the policies."""
    found = copy.deepcopy(cluster)
    found["spec"] = merged(found["spec"], COMPLETED)
    return found


def by_hand(cluster: Object) -> Object:
    """As people and CloudNativePG together may have left a Cluster."""
    found = completed(cluster)
    found["metadata"].setdefault("annotations", {})["cnpg.io/hibernation"] = "off"
    spec = found["spec"]
    spec |= {
        "affinity": {"podAntiAffinityType": "preferred", "nodeSelector": {"disk": "ssd"}},
        "imagePullSecrets": [{"name": "registry"}],
        "managed": {"roles": [{"name": "auditor", "login": True}]},
        "enableSuperuserAccess": True,
        "imageName": "registry.example/earlier:17",
        "probes": {"liveness": {"isolationCheck": {"enabled": True}}},
        "replicationSlots": {"highAvailability": {"enabled": True, "slotPrefix": "_cnpg_"}},
        "monitoring": {"customQueriesConfigMap": [{"name": "theirs", "key": "queries"}]},
    }
    spec["postgresql"]["parameters"] |= {"archive_mode": "on", "search_path": "app"}
    spec["postgresql"]["pg_hba"] = ["host all all 10.0.0.0/8 scram-sha-256"]
    spec["postgresql"]["shared_preload_libraries"] = ["pg_stat_statements"]
    return found


def merged(there: Object, body: Object) -> Object:
    """What a merge patch makes of an object."""
    result = dict(there)
    for key, value in body.items():
        if value is None:
            result.pop(key, None)
        else:
            deeper = isinstance(value, dict) and isinstance(there.get(key), dict)
            result[key] = merged(there[key], value) if deeper else value
    return result


def token(place: str, **metadata: Any) -> Object:
    """A Secret that Kubernetes fills with a token of any ServiceAccount."""
    account = {"kubernetes.io/service-account.name": "default"}
    made = {"name": "stolen", "namespace": place, "annotations": account, **metadata}
    kind = "kubernetes.io/service-account-token"
    return {"apiVersion": "v1", "kind": "Secret", "type": kind, "metadata": made}


def barman(**parameters: str) -> Object:
    """The plugin for backups, told this, too."""
    told = {"barmanObjectName": "backups", "serverName": "daap-archive-12345678"} | parameters
    return {"name": "barman-cloud.cloudnative-pg.io", "parameters": told}


CLUSTER_ATTACKS: dict[str, tuple[Object, str]] = {
    "another image": (
        {"imageName": "evil.example/postgresql:17-standard-trixie"},
        "spec.imageName must be config.postgresImage",
    ),
    "an image that only begins so": (
        {"imageName": "ghcr.io/cloudnative-pg/postgresql:17-standard-trixie@sha256:" + "0" * 64},
        "spec.imageName must be config.postgresImage",
    ),
    "an image of a catalog": (
        {
            "imageName": None,
            "imageCatalogRef": {
                "apiGroup": "postgresql.cnpg.io",
                "kind": "ImageCatalog",
                "name": "theirs",
                "major": 17,
            },
        },
        "spec.imageCatalogRef is not",
    ),
    "a superuser": ({"enableSuperuserAccess": True}, "spec.enableSuperuserAccess must be false"),
    "a superuser's Secret": ({"superuserSecret": {"name": "mine"}}, "spec.superuserSecret is not"),
    "managed roles": (
        {"managed": {"roles": [{"name": "evil", "superuser": True, "login": True}]}},
        "spec.managed is not",
    ),
    "another volume": (
        {"projectedVolumeTemplate": {"sources": [{"secret": {"name": "theirs"}}]}},
        "spec.projectedVolumeTemplate is not",
    ),
    "environment": ({"env": [{"name": "A", "value": "b"}]}, "spec.env is not"),
    "a role of the cloud": (
        {"serviceAccountTemplate": {"metadata": {"annotations": {"eks.amazonaws.com/role": "x"}}}},
        "spec.serviceAccountTemplate.metadata.annotations.eks.amazonaws.com/role is not",
    ),
    "a sidecar": (
        {"inheritedMetadata": {"annotations": {"sidecar": "yes"}}},
        "spec.inheritedMetadata.annotations is not",
    ),
    "SQL as a superuser": (
        {"bootstrap": {"initdb": {"postInitSQL": ["SELECT 1"]}}},
        "spec.bootstrap.initdb.postInitSQL is not",
    ),
    "SQL in the database": (
        {"bootstrap": {"initdb": {"postInitApplicationSQLRefs": {"secretRefs": []}}}},
        "spec.bootstrap.initdb.postInitApplicationSQLRefs is not",
    ),
    "a restore": (
        {"bootstrap": {"initdb": None, "recovery": {"backup": {"name": "theirs"}}}},
        "spec.bootstrap.recovery.backup is not",
    ),
    "a restore to a moment that it has no word for": (
        {"bootstrap": {"initdb": None, "recovery": {"recoveryTarget": {"targetXID": "1"}}}},
        "spec.bootstrap.recovery.recoveryTarget.targetXID is not",
    ),
    "a restore for a superuser": (
        {"bootstrap": {"initdb": None, "recovery": {"owner": "postgres", "database": "postgres"}}},
        "spec.bootstrap.recovery.owner must be",
    ),
    "a restore for another's role": (
        {"bootstrap": {"initdb": None, "recovery": {"owner": "other", "database": "orders"}}},
        "spec.bootstrap.recovery.owner must be",
    ),
    "an owner that is a superuser": (
        {"bootstrap": {"initdb": {"owner": "postgres"}}},
        "spec.bootstrap.initdb.owner and",
    ),
    "an outside cluster": (
        {"externalClusters": [{"name": "theirs"}]},
        "spec.externalClusters must",
    ),
    "another plugin's archive": (
        {"externalClusters": [{"name": "source", "plugin": {"name": "evil"}}]},
        "spec.externalClusters must",
    ),
    "an archive elsewhere": (
        {"externalClusters": [{"name": "source", "plugin": barman(endpointURL="https://evil")}]},
        "spec.externalClusters must",
    ),
    "an outside server beside an archive": (
        {"externalClusters": [{"name": "a", "plugin": barman(), "connectionParameters": {}}]},
        "spec.externalClusters must",
    ),
    "a plugin": ({"plugins": [{"name": "evil"}]}, "spec.plugins must"),
    "a plugin beside the one for backups": (
        {"plugins": [barman(), {"name": "evil"}]},
        "spec.plugins must",
    ),
    "another database's archive": (
        {"plugins": [barman(serverName="daap-theirs-12345678")]},
        "spec.plugins must",
    ),
    "an archive of no name": ({"plugins": [barman(serverName="")]}, "spec.plugins must"),
    "more for the plugin": (
        {"plugins": [barman(endpointURL="https://evil.example")]},
        "spec.plugins must",
    ),
    "a backup": ({"backup": {"retentionPolicy": "1d"}}, "spec.backup is not"),
    "open doors": (
        {"postgresql": {"pg_hba": ["host all all all trust"]}},
        "spec.postgresql.pg_hba must",
    ),
    "doors left open": (
        {"postgresql": {"pg_hba": None}},
        "spec.postgresql.pg_hba must",
    ),
    "a library": (
        {"postgresql": {"shared_preload_libraries": ["evil"]}},
        "spec.postgresql.shared_preload_libraries is not",
    ),
    "a library by setting": (
        {"postgresql": {"parameters": {"session_preload_libraries": "evil"}}},
        "spec.postgresql.parameters.session_preload_libraries is not",
    ),
    "a command, in capital letters": (
        {"postgresql": {"parameters": {"ARCHIVE_CLEANUP_COMMAND": "sh -c true"}}},
        "spec.postgresql.parameters.ARCHIVE_CLEANUP_COMMAND is not",
    ),
    "a command on another line of a name": (
        {"postgresql": {"parameters": {"zz.a = '1'\narchive_command = 'sh'\nzz.b": "1"}}},
        "spec.postgresql.parameters.zz.a",
    ),
    "a command on another line of a value": (
        {"postgresql": {"parameters": {"work_mem": "4MB'\narchive_command = 'sh"}}},
        "spec.postgresql.parameters must",
    ),
    **{
        f"a library or a file by {name}": (
            {"postgresql": {"parameters": {name: value}}},
            f"spec.postgresql.parameters.{name} is not",
        )
        for name, value in {
            "jit_provider": "evil",
            "oauth_validator_libraries": "evil",
            "krb_server_keyfile": "/tmp/evil",
            "unix_socket_directories": "/tmp/evil",
            "stats_temp_directory": "/tmp/evil",
            "data_directory": "/tmp/evil",
            "backtrace_functions": "evil",
            "password_encryption": "md5",
        }.items()
    },
    "a library that CloudNativePG's own setting loads": (
        {"postgresql": {"parameters": {"shared_preload_libraries": "evil"}}},
        "spec.postgresql.parameters must",
    ),
    "logs elsewhere": (
        {"postgresql": {"parameters": {"log_directory": "/var/lib/postgresql/data"}}},
        "spec.postgresql.parameters must",
    ),
    "logs by another name": (
        {"postgresql": {"parameters": {"log_filename": "../data/evil.conf"}}},
        "spec.postgresql.parameters must",
    ),
    "an extension's image": (
        {"postgresql": {"extensions": [{"name": "e", "image": {"reference": "evil:1"}}]}},
        "spec.postgresql.extensions is not",
    ),
    "another's volume": (
        {"storage": {"pvcTemplate": {"volumeName": "theirs"}}},
        "spec.storage.pvcTemplate is not",
    ),
    "another's certificate": (
        {"certificates": {"serverTLSSecret": "theirs"}},
        "spec.certificates.serverTLSSecret is not",
    ),
    "queries of its own": (
        {"monitoring": {"customQueriesConfigMap": [{"name": "mine", "key": "k"}]}},
        "spec.monitoring.customQueriesConfigMap must",
    ),
    "queries from a Secret": (
        {"monitoring": {"customQueriesSecret": [{"name": "mine", "key": "k"}]}},
        "spec.monitoring.customQueriesSecret is not",
    ),
    "any node": ({"affinity": {"nodeSelector": {"a": "b"}}}, "spec.affinity.nodeSelector is not"),
    "root": ({"postgresUID": 0}, "spec.postgresUID and spec.postgresGID must not be 0"),
    "another account": ({"serviceAccountName": "boss"}, "spec.serviceAccountName is not"),
}

EVIL = {"name": "evil", "image": "evil.example/evil"}
POOLER_ATTACKS: dict[str, tuple[Change, str]] = {
    "another image": (
        lambda s: s["template"]["spec"]["containers"][0].update(image="evil.example/pgbouncer"),
        "spec.template.spec.containers[pgbouncer] has",
    ),
    "another command": (
        lambda s: s["template"]["spec"]["containers"][0].update(command=["sh"]),
        "spec.template.spec.containers[pgbouncer] has",
    ),
    "a hook that runs something": (
        lambda s: s["template"]["spec"]["containers"][0].update(
            lifecycle={"preStop": {"exec": {"command": ["sh"]}}}
        ),
        "spec.template.spec.containers[pgbouncer] has",
    ),
    "another hook": (
        lambda s: s["template"]["spec"]["containers"][0].update(
            lifecycle={"postStart": {"exec": {"command": ["sh"]}}}
        ),
        "spec.template.spec.containers[pgbouncer] has",
    ),
    "a sidecar": (
        lambda s: s["template"]["spec"]["containers"].append(EVIL),
        "spec.template.spec.containers[evil] has",
    ),
    "an init container": (
        lambda s: s["template"]["spec"]["initContainers"].append(EVIL),
        "spec.template.spec.initContainers[evil] has",
    ),
    "another image of CloudNativePG's own": (
        lambda s: s["template"]["spec"]["initContainers"][0].update(image="evil.example/evil"),
        "spec.template.spec.initContainers[bootstrap-controller] has",
    ),
    "the node": (
        lambda s: s["template"]["spec"].update(hostNetwork=True),
        "spec.template.spec.hostNetwork is not",
    ),
    "another account": (
        lambda s: s["template"]["spec"].update(serviceAccountName="boss"),
        "spec.template.spec.serviceAccountName is not",
    ),
    "volumes": (
        lambda s: s["template"]["spec"].update(volumes=[{"name": "v", "hostPath": {"path": "/"}}]),
        "spec.template.spec.volumes is not",
    ),
    "annotations of the pods": (
        lambda s: s["template"]["metadata"].update(annotations={"a": "b"}),
        "spec.template.metadata.annotations is not",
    ),
    "an account of the Pooler": (
        lambda s: s.update(serviceAccountName="boss"),
        "spec.serviceAccountName is not",
    ),
    "PgBouncer's image": (
        lambda s: s["pgbouncer"].update(image="evil.example/pgbouncer"),
        "spec.pgbouncer.image is not",
    ),
    "another's credentials": (
        lambda s: s["pgbouncer"].update(authQuery="SELECT 1", authQuerySecret={"name": "theirs"}),
        "spec.pgbouncer.authQuer",
    ),
    "a login without a password": (
        lambda s: s["pgbouncer"]["parameters"].update(auth_type="any"),
        "spec.pgbouncer.parameters.auth_type is not",
    ),
    "plain text": (
        lambda s: s["pgbouncer"]["parameters"].update(client_tls_sslmode="disable"),
        "spec.pgbouncer.parameters.client_tls_sslmode must be 'require'",
    ),
    "plain text by leaving it out": (
        lambda s: s["pgbouncer"]["parameters"].pop("client_tls_sslmode"),
        "spec.pgbouncer.parameters.client_tls_sslmode must be 'require'",
    ),
    "open doors": (
        lambda s: s["pgbouncer"].update(pg_hba=["host all all all trust"]),
        "spec.pgbouncer.pg_hba is not",
    ),
    "a Service to the world": (
        lambda s: s["serviceTemplate"]["spec"].update(type="LoadBalancer"),
        "spec.serviceTemplate.spec.type is not",
    ),
    "another's Cluster": (
        lambda s: s["cluster"].update(name="theirs"),
        "spec.cluster.name must be",
    ),
}

SCHEDULE_ATTACKS: dict[str, tuple[Object, str]] = {
    "another's Cluster": ({"cluster": {"name": "daap-theirs"}}, "spec.cluster.name must be"),
    "another way": ({"method": "volumeSnapshot"}, "spec.method must be 'plugin'"),
    "another plugin": (
        {"pluginConfiguration": {"name": "evil"}},
        "spec.method must be 'plugin', and the plugin",
    ),
    "words for the plugin": (
        {"pluginConfiguration": {"parameters": {"serverName": "theirs"}}},
        "spec.pluginConfiguration.parameters is not",
    ),
    "backups that outlive the database": (
        {"backupOwnerReference": "none"},
        "spec.backupOwnerReference must be 'cluster'",
    ),
    "a cold backup": ({"online": False}, "spec.online is not"),
}
