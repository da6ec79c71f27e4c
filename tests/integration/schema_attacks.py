"""Jobs that differ in one word from what a schema makes, and what is said against each."""

from daap_operator import names
from daap_operator.kinds import known
from tests.integration.test_admission_drills import IMAGES
from tests.support import schema_jobs
from tests.support.job_changes import (
    Change,
    Object,
    another,
    argument,
    first_words,
    inside,
    of_cluster,
    of_container,
    of_job,
    of_labels,
    of_pod,
    of_security,
    of_template,
    owned,
    secret,
    variable,
)
from tests.support.schema_jobs import NAME

OWNER: Object = {
    "apiVersion": known.DAAP_SCHEMA.api_version,
    "kind": known.DAAP_SCHEMA.name,
    "name": "orders",
    "uid": schema_jobs.UID,
    "controller": True,
}
THEIRS = OWNER | {"apiVersion": "v1", "kind": "ConfigMap", "uid": "u", "controller": False}
OF_DRILL = OWNER | {"kind": "DaapDrill", "uid": "d", "controller": False}
TOKEN = {"sources": [{"serviceAccountToken": {"path": "token"}}]}
FIELD = "metadata.annotations['daap.io/inline-schema-2-0']"
RULE: Object = {
    "action": "FailJob",
    "onExitCodes": {"containerName": "schema", "operator": "In", "values": [2, 3]},
}
IMAGE_VOLUME: Object = {"reference": schema_jobs.REFERENCE, "pullPolicy": "IfNotPresent"}
INLINE: Object = {"path": "x.sql", "fieldRef": {"fieldPath": FIELD}}


def imaged(**of: str) -> Change:
    """With one more image, which differs in a word from those that may be mounted."""
    return another("schema-9", "/files/schema-9", image=IMAGE_VOLUME | of)


MARKED: dict[str, Change] = {
    "of nobody": owned(),
    "of a ConfigMap": owned(THEIRS),
    "of another besides": owned(OWNER, THEIRS),
    "of a drill besides": owned(OWNER, OF_DRILL),
    "of two schemas": owned(OWNER, OWNER | {"uid": "other", "controller": False}),
    "of another schema than its label's": owned(OWNER | {"uid": "other"}),
    "of a schema of another group": owned(OWNER | {"apiVersion": "evil.example/v1"}),
    "that is not controlled": owned(OWNER | {"controller": False}),
    "with the label of another Job": of_labels(**{names.SCHEMA_LABEL: "another-0123456789"}),
    "without its label": of_labels(**{names.SCHEMA_LABEL: None}),
    "with a drill's label": of_labels(**{names.DRILL_LABEL: "drill-x-01234567"}),
    "with a drill's uid": of_labels(**{known.DAAP_DRILL.uid_label: "d"}),
    "with a database's uid": of_labels(**{known.DATABASE.uid_label: "d"}),
    "with a Cluster's label": of_labels(**{"cnpg.io/cluster": schema_jobs.CLUSTER}),
    "with CloudNativePG's annotations": lambda obj: obj["metadata"].update(
        annotations={"cnpg.io/podPatch": "[]"}
    ),
}
NAMED: dict[str, Change] = {
    "under a name of people's": lambda obj: obj["metadata"].update(name="orders"),
    "under another kind's name": lambda obj: obj["metadata"].update(name="drill-proof-5e1ec7ab"),
    "under a name with a dot": lambda obj: obj["metadata"].update(name="orders.v2-0123456789"),
}
SPECIFIED: dict[str, Change] = {
    "with many pods": of_job(parallelism=1, completions=100),
    "with many pods at once": of_job(parallelism=100, completions=1),
    "with pods of others": of_job(
        manualSelector=True, selector={"matchLabels": {names.SCHEMA_LABEL: NAME}}
    ),
    "with a deadline": of_job(activeDeadlineSeconds=60),
    "that is managed by another": of_job(managedBy="example.com/other"),
    "that is tried without end": of_job(backoffLimit=100_000),
    "that stays": lambda obj: obj["spec"].pop("ttlSecondsAfterFinished"),
    "that is kept for ever": of_job(ttlSecondsAfterFinished=10**9),
    "that is tried whatever has happened": lambda obj: obj["spec"].pop("podFailurePolicy"),
    "that ends otherwise": of_job(podFailurePolicy={"rules": [{**RULE, "action": "Ignore"}]}),
    "that ends with other codes": of_job(
        podFailurePolicy={
            "rules": [{**RULE, "onExitCodes": RULE["onExitCodes"] | {"values": [2, 3, 4]}}]
        }
    ),
    "that ends with more rules": of_job(podFailurePolicy={"rules": [RULE, RULE]}),
}
TEMPLATED: dict[str, Change] = {
    "with annotations that others act on": of_template(
        annotations={"vault.hashicorp.com/agent-inject": "true"}
    ),
    "with an annotation like its own": of_template(annotations={"daap.io/inline-other-0-0": "x"}),
    "with labels of others' pods": of_template(labels={names.SCHEMA_LABEL: NAME, "app": "theirs"}),
    "with labels of a database's pods": of_template(
        labels={names.SCHEMA_LABEL: NAME, "cnpg.io/cluster": NAME}
    ),
    "with labels of a drill's pods": of_template(labels={names.DRILL_LABEL: NAME}),
    "with a finalizer on its pods": of_template(finalizers=["evil.example/hold"]),
}
PODS: dict[str, Change] = {
    "with a token": of_pod(lambda pod: pod.update(automountServiceAccountToken=True)),
    "as another account": of_pod(lambda pod: pod.update(serviceAccountName="admin")),
    "on the host's network": of_pod(lambda pod: pod.update(hostNetwork=True)),
    "with the host's processes": of_pod(lambda pod: pod.update(hostPID=True)),
    "on a node": of_pod(lambda pod: pod.update(nodeName="control-plane")),
    "where others may not": of_pod(lambda pod: pod.update(tolerations=[{"operator": "Exists"}])),
    "before others": of_pod(lambda pod: pod.update(priorityClassName="system-node-critical")),
    "with Services' variables": of_pod(lambda pod: pod.update(enableServiceLinks=True)),
    "with names of its own": of_pod(
        lambda pod: pod.update(hostAliases=[{"ip": "192.0.2.1", "hostnames": ["daap-orders-rw"]}])
    ),
    "with a container before": of_pod(
        lambda pod: pod.update(initContainers=[{"name": "x", "image": schema_jobs.IMAGE}])
    ),
    "without a profile": of_pod(
        lambda pod: pod["securityContext"].update(seccompProfile={"type": "Unconfined"})
    ),
    "with a Secret to pull the operator's image by": of_pod(
        lambda pod: pod.update(imagePullSecrets=[{"name": "theirs"}])
    ),
    "in more groups": of_pod(lambda pod: pod["securityContext"].update(supplementalGroups=[0])),
}
CONTAINERS: dict[str, Change] = {
    "with another container": of_pod(
        lambda pod: pod["containers"].append({"name": "x", "image": schema_jobs.IMAGE})
    ),
    "with another command": of_container(command=["/bin/sh"]),
    "in another directory": of_container(workingDir="/files/schema-0"),
    "with a hook": of_container(lifecycle={"preStop": {"exec": {"command": ["x"]}}}),
    "with a port": of_container(ports=[{"containerPort": 8080, "hostPort": 8080}]),
    "with last words from elsewhere": of_container(terminationMessagePath="/ca/ca.crt"),
    "with privileges": of_container(securityContext={"privileged": True}),
    "with capabilities": of_security(capabilities={"add": ["SYS_ADMIN"]}),
    "as root": of_security(runAsUser=0),
    "in a group": of_security(runAsGroup=0),
    "with files that it can write": of_security(readOnlyRootFilesystem=False),
    "with all of a Secret": of_container(envFrom=[{"secretRef": {"name": "theirs"}}]),
}
ORDERED: dict[str, Change] = {
    "from another image": of_container(image="evil.example/x:1"),
    "from the image of a database": of_container(image=IMAGES[0]),
    "that runs the operator": first_words("run"),
    "that migrates": first_words("migrate"),
    "that runs another command": first_words("schema", "wait"),
    "that runs nothing": of_container(args=[]),
    "without arguments": of_pod(lambda pod: pod["containers"][0].pop("args")),
    "that allows a superuser": argument("--allow-superuser"),
    "of another server": argument("--database-url=postgresql://evil.example"),
    "of another server in two words": argument("--database-url", "postgresql://evil.example"),
    "with files from elsewhere": argument("/ca"),
    "with files from further up": argument("/files/schema-0/../../ca"),
    "with fixtures from elsewhere": argument("--fixtures=/ca"),
    "with a word twice": argument("schema"),
    "with an image from elsewhere": argument("--schema-image=/ca::*"),
    "with an image of another part": argument("--schema-image=/files/fixtures-0::*.sql"),
    "with an image's files from further up": argument("--schema-image=/files/schema-9:../ca:*"),
    "with an image's files by a link": argument("--schema-image=/files/schema-9:a/../../ca:*"),
    "with files of images that are none": argument("--files-but-images=whatever"),
    "with a plan that is none": argument("--plan=whatever"),
    "with a role that is more": argument("--role=a;DROP"),
    "with a search path that is more": argument("--search-path=a,b c"),
    "for another Job": argument("--job=another-0123456789"),
    "with a line behind": argument("--ledger=a\n--allow-superuser"),
    "with a mode that there is not": argument("--on-destructive=always"),
}
COPIES: dict[str, Change] = {
    "that measures a database": argument("--measure"),
    "of a drill's Cluster": of_cluster("drill-proof-5e1ec7ab", schema_jobs.CLUSTER),
}
VARIABLES: dict[str, Change] = {
    "of another server's address": variable("PGHOST", value="evil.example"),
    "of the pooler": variable("PGHOST", value="daap-orders-pooler"),
    "of a drill's database": variable("PGHOST", value="drill-proof-5e1ec7ab-rw"),
    "of another database": variable("PGHOST", value="daap-other-rw"),
    "of no database": variable("PGHOST", value="-rw"),
    "of another's Cluster": of_cluster("theirs", schema_jobs.CLUSTER),
    "of a server elsewhere": of_cluster("daap-orders.evil.example", schema_jobs.CLUSTER),
    "with a database's name in another way": variable("PGDATABASE", value="postgres"),
    "as a superuser": variable("PGPASSWORD", valueFrom=secret("daap-orders-superuser", "password")),
    "as another's owner": variable("PGPASSWORD", valueFrom=secret("daap-other-app", "password")),
    "with another Secret's value": variable("PGDATABASE", valueFrom=secret("theirs", "token")),
    "with another key": variable("PGUSER", valueFrom=secret("daap-orders-app", "password")),
    "without verifying the server": variable("PGSSLMODE", value="disable"),
    "with another authority": variable("PGSSLROOTCERT", value="/files/schema-0/x.sql"),
    "with another way to Python code": variable("PYTHONPATH", value="/files/schema-0"),
    "with a library": variable("LD_PRELOAD", value="/files/schema-0/x.sql"),
    "with settings": variable("PGOPTIONS", value="-c session_preload_libraries=x"),
    "with a service": variable("PGSERVICEFILE", value="/files/schema-0/x.sql"),
    "by another address": variable("PGHOSTADDR", value="192.0.2.1"),
    "with a field of its own": variable(
        "X", valueFrom={"fieldRef": {"fieldPath": "metadata.name"}}
    ),
}
PLACES: dict[str, Change] = {
    "with files that are written": of_pod(
        lambda pod: pod["containers"][0]["volumeMounts"][2].pop("readOnly")
    ),
    "with a part of a volume": of_pod(
        lambda pod: pod["containers"][0]["volumeMounts"][2].update(subPath="x")
    ),
    "with a volume twice": of_pod(
        lambda pod: pod["containers"][0]["volumeMounts"].append(
            {"name": "schema-0", "mountPath": "/opt/daap", "readOnly": True}
        )
    ),
    "with a volume over the program": another("schema-9", "/opt/daap", configMap={"name": "x"}),
}
VOLUMES: dict[str, Change] = {
    "with the host's files": another("schema-9", "/files/schema-9", hostPath={"path": "/"}),
    "with a Secret's files": another(
        "schema-9", "/files/schema-9", secret={"secretName": "theirs"}
    ),
    "with a projected token": another("schema-9", "/files/schema-9", projected=TOKEN),
    "with a claim": another(
        "schema-9", "/files/schema-9", persistentVolumeClaim={"claimName": "daap-orders-1"}
    ),
    "with a driver": another("schema-9", "/files/schema-9", csi={"driver": "evil.example"}),
    "with an image by its tag": imaged(reference="registry.example.com/orders/schema:1"),
    "with an image by another digest": imaged(reference=f"r.example/x@sha512:{'0' * 128}"),
    "with an image that is pulled each time": imaged(pullPolicy="Always"),
    "with an image that nobody pulls": imaged(pullPolicy="Never"),
    "with an image over the certificate": another("ca-9", "/files/ca-9", image=IMAGE_VOLUME),
    "with another directory": another("more", "/files/more", emptyDir={}),
    "with a volume of another name": another("more", "/files/more", configMap={"name": "x"}),
    "with another authority's certificate": inside(1, "secret", secretName="theirs"),
    "with another database's": inside(1, "secret", secretName="daap-other-ca"),
    "with the authority's key": inside(1, "secret", items=[{"key": "ca.key", "path": "ca.crt"}]),
    "with all of the authority's Secret": of_pod(
        lambda pod: pod["volumes"][1]["secret"].pop("items")
    ),
    "with a certificate that runs": inside(1, "secret", defaultMode=0o755),
    "without the certificate": inside(1, "secret", optional=True),
    "in memory": inside(0, "emptyDir", medium="Memory"),
    "with all the room of the node": of_pod(
        lambda pod: pod["volumes"][0]["emptyDir"].pop("sizeLimit")
    ),
    "with files that run": inside(2, "configMap", defaultMode=0o777),
    "without the files": inside(2, "configMap", optional=True),
    "with a file under another name": inside(3, "configMap", items=[{"key": "a", "path": "b"}]),
    "with a file that runs": inside(
        3, "configMap", items=[{"key": "a", "path": "a", "mode": 0o777}]
    ),
    "with another's inline files": inside(5, "downwardAPI", items=[INLINE]),
    "with another annotation": inside(
        4,
        "downwardAPI",
        items=[INLINE | {"fieldRef": {"fieldPath": "metadata.annotations['a']"}}],
    ),
    "with its labels": inside(
        4, "downwardAPI", items=[INLINE | {"fieldRef": {"fieldPath": "metadata.labels"}}]
    ),
    "with its limits": inside(
        4,
        "downwardAPI",
        items=[
            {
                "path": "x.sql",
                "resourceFieldRef": {"containerName": "schema", "resource": "limits.memory"},
            }
        ],
    ),
    "with inline files that run": inside(4, "downwardAPI", defaultMode=0o777),
    "with an inline file that runs": inside(4, "downwardAPI", items=[INLINE | {"mode": 0o777}]),
    "with an inline file of Python": inside(4, "downwardAPI", items=[INLINE | {"path": "x.py"}]),
}
_SAID: dict[str, dict[str, Change]] = {
    "metadata.": MARKED,
    "it is created once, under a name": NAMED,
    "spec must": SPECIFIED,
    "spec.template.metadata must": TEMPLATED,
    "nothing of the node, no token": PODS,
    "the container 'schema' alone": CONTAINERS,
    "the operator's own 'schema check'": ORDERED,
    "no variables but those of a schema": VARIABLES,
    "must measure a copy, and nothing else": COPIES,
    "its volumes where they belong": PLACES,
    "spec.template.spec.volumes must": VOLUMES,
}
ATTACKS = {
    name: (change, said) for said, changes in _SAID.items() for name, change in changes.items()
}
"""What is done to a Job, and what is said against it."""
