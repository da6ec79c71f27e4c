"""The chart as it is rendered: every switch, and what holds for all objects whatever the values."""

import json
import re
from functools import cache
from typing import Any

import kubernetes_validate
import pytest
import yaml

from daap_operator import __version__, crd, settings
from daap_operator.api.v1alpha1 import DEFINITIONS
from dev.installation import CHART
from tests.support.helm import Object, helm, only, pod_specs, render, template

CLUSTER_WIDE = {
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
}

VERSIONS = ("1.32", "1.33", "1.34", "1.35", "1.36")

SWITCHED: dict[str, Object] = {
    "the chart's own values": {},
    "two namespaces": {"watchNamespaces": ["shop", "billing"]},
    "init container": {"migrations": {"mode": "initContainer"}},
    "no migrations": {"migrations": {"mode": "none"}},
    "a CA from a Secret": {"metadataDatabase": {"tls": {"caSecret": {"name": "metadata-ca"}}}},
    "a CA from a ConfigMap": {"metadataDatabase": {"tls": {"caConfigMap": {"name": "roots"}}}},
    "a client certificate": {
        "metadataDatabase": {
            "tls": {"mode": "verify-ca", "clientSecret": {"name": "metadata-client"}}
        },
        "migrations": {"mode": "initContainer"},
    },
    "a single replica": {"replicaCount": 1},
    "no CRD": {"crds": {"install": False}},
    "a CRD that goes": {"crds": {"keep": False}},
    "no roles": {"rbac": {"create": False, "aggregateClusterRoles": False}},
    "another ServiceAccount": {"serviceAccount": {"create": False, "name": "mine"}},
    "no test": {"test": {"enabled": False}},
    "names": {"fullnameOverride": "daap", "commonLabels": {"team": "platform"}},
    "pods": {
        "image": {"digest": f"sha256:{'a' * 64}", "pullPolicy": "Always"},
        "imagePullSecrets": [{"name": "registry"}],
        "podAnnotations": {"example.com/a": "1"},
        "podLabels": {"example.com/b": "2"},
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"key": "infra", "operator": "Exists"}],
        "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}},
        "priorityClassName": "system-cluster-critical",
        "extraEnv": [{"name": "TZ", "value": "UTC"}],
        "test": {"storageClass": "fast", "namespace": "try", "ownerTeam": "a team"},
    },
}


@cache
def objects(name: str) -> list[Object]:
    return render(SWITCHED[name])


def deployment(name: str) -> Object:
    return only(objects(name), "Deployment")


def pod(name: str) -> Object:
    spec: Object = deployment(name)["spec"]["template"]["spec"]
    return spec


def environment(container: Object) -> dict[str, Any]:
    return {e["name"]: e.get("value", e.get("valueFrom")) for e in container["env"]}


def crds(name: str) -> dict[str, Object]:
    found = [obj for obj in objects(name) if obj["kind"] == "CustomResourceDefinition"]
    return {obj["metadata"]["name"]: obj for obj in found}


def kinds(name: str) -> set[str]:
    return {obj["kind"] for obj in objects(name)}


# --- all objects ----------------------------------------------------------------------------------

everywhere = pytest.mark.parametrize("name", SWITCHED)


def test_lint() -> None:
    helm("lint", "--strict", str(CHART))


@everywhere
@pytest.mark.parametrize("version", VERSIONS)
def test_objects_are_valid(name: str, version: str) -> None:
    for obj in objects(name):
        validate(json.dumps(obj), version)


@cache
def validate(obj: str, version: str) -> None:
    """An object, as JSON, once: what the sets of values make is mostly the same."""
    kubernetes_validate.validate(json.loads(obj), version, strict=True)


@everywhere
def test_two_renderings_are_equal(name: str) -> None:
    assert template(SWITCHED[name]) == template(SWITCHED[name])


@everywhere
def test_pods_fit_pod_security_restricted(name: str) -> None:
    for what, spec in pod_specs(objects(name)).items():
        assert spec["securityContext"]["runAsNonRoot"] is True, what
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, what
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys(), what
        for volume in spec.get("volumes", ()):
            assert volume.keys() <= {"name", "secret", "configMap", "emptyDir"}, what
        for container in [*spec.get("initContainers", ()), *spec["containers"]]:
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False, what
            assert context["capabilities"] == {"drop": ["ALL"]}, what
            assert context["readOnlyRootFilesystem"] is True, what
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}, what
            assert container["resources"]["limits"]["memory"], what


@everywhere
def test_tokens_are_only_where_they_are_used(name: str) -> None:
    for account in (o for o in objects(name) if o["kind"] == "ServiceAccount"):
        assert account["automountServiceAccountToken"] is False
    for what, spec in pod_specs(objects(name)).items():
        assert spec["automountServiceAccountToken"] is not what.startswith("Job/"), what
        assert spec["enableServiceLinks"] is False, what


@everywhere
def test_objects_are_labelled_and_in_their_namespace(name: str) -> None:
    for obj in objects(name):
        labels = obj["metadata"]["labels"]
        assert labels["app.kubernetes.io/instance"] == "daap-operator"
        assert labels["app.kubernetes.io/part-of"] == "daap"
        assert labels["helm.sh/chart"] == f"daap-operator-{__version__}"
        assert ("namespace" in obj["metadata"]) == (obj["kind"] not in CLUSTER_WIDE), obj["kind"]
        assert all(isinstance(value, str) for value in labels.values())


@everywhere
def test_no_object_is_there_twice(name: str) -> None:
    made = [
        (o["kind"], o["metadata"].get("namespace"), o["metadata"]["name"]) for o in objects(name)
    ]
    assert len(made) == len(set(made))


def test_templates_depend_on_nothing_but_the_values() -> None:
    """Argo CD renders without a cluster, always as if for the first time."""
    forbidden = r"lookup|rand\w*|uuidv4|now|genCA|genSigned\w+|htpasswd|\.Release\.(Is\w+|Revision)"
    for path in CHART.rglob("templates/**/*"):
        for expression in re.findall(
            r"\{\{(?!-? ?/\*).*?\}\}", path.read_text() if path.is_file() else ""
        ):
            assert not re.search(rf"(?<![\w.$-])({forbidden})(?![\w-])", expression), (
                path,
                expression,
            )


def test_an_older_kubernetes_is_refused() -> None:
    with pytest.raises(Exception, match=r"requires kubeVersion: >=1\.32\.0-0"):
        render(kube_version="1.31.9")
    assert render(kube_version="1.32.0")


def test_a_release_of_any_length_makes_names_that_fit() -> None:
    for obj in render(release="r" * 53):
        longest = 253 if obj["kind"] in CLUSTER_WIDE else 63
        assert len(obj["metadata"]["name"]) <= longest, obj["metadata"]["name"]


# --- the parts ------------------------------------------------------------------------------------


def test_versions_are_the_operators() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (__version__, __version__)
    image = pod("the chart's own values")["containers"][0]["image"]
    assert image == f"ghcr.io/daap-io/daap-operator:{__version__}"
    by_digest = pod("pods")["containers"][0]["image"]
    assert by_digest == f"ghcr.io/daap-io/daap-operator@sha256:{'a' * 64}"


def test_the_crd_stays_unless_told_otherwise() -> None:
    made = {definition.name: crd.manifest(definition) for definition in DEFINITIONS}
    assert set(crds("the chart's own values")) == set(crds("a CRD that goes")) == set(made)
    for name, found in crds("the chart's own values").items():
        assert found["spec"] == made[name]["spec"]
        assert made[name]["metadata"]["labels"].items() <= found["metadata"]["labels"].items()
        assert found["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    for goes in crds("a CRD that goes").values():
        assert goes["metadata"]["annotations"] == {"daap.io/allow-deletion": "true"}
    assert "CustomResourceDefinition" not in kinds("no CRD")


def test_every_setting_is_as_the_operator_itself_has_it() -> None:
    """values.yaml repeats the defaults, so that they can be read there; they must not differ."""
    found = environment(pod("the chart's own values")["containers"][0])
    given = {name: value for name, value in found.items() if isinstance(value, str)}
    own = {"DAAP_LEASE_NAME", "DAAP_MIGRATION_JOB", "DAAP_DRILL_IMAGE"}
    read = settings.read({"DATABASE_URL": "x", **{k: v for k, v in given.items() if k not in own}})
    assert read == settings.read({"DATABASE_URL": "x"})
    chosen = {
        "DATABASE_URL",
        "KUBECONFIG",
        "DAAP_WATCH_NAMESPACES",
        "DAAP_HEALTH_HOST",
        "DAAP_METRICS_HOST",
        "DAAP_METRICS_TLS_DIRECTORY",
        "DAAP_POSTGRES_IMAGES",
    }
    assert found.keys() >= {f.alias for f in settings.Settings.model_fields.values()} - chosen


def test_who_a_replica_is_and_where_its_lease() -> None:
    found = environment(pod("the chart's own values")["containers"][0])
    assert found["DAAP_IDENTITY"] == {"fieldRef": {"fieldPath": "metadata.uid"}}
    assert found["DAAP_LEASE_NAMESPACE"] == {"fieldRef": {"fieldPath": "metadata.namespace"}}
    assert found["DAAP_LEASE_NAME"] == "daap-operator"


def test_the_database_is_reached_as_its_secret_says() -> None:
    plain = environment(pod("the chart's own values")["containers"][0])
    secret = {"name": "daap-metadata", "key": "DATABASE_URL"}
    assert plain["DATABASE_URL"] == {"secretKeyRef": secret}
    assert not any(name.startswith("PG") for name in plain)


@pytest.mark.parametrize(
    ("name", "volume"),
    [
        ("a CA from a Secret", {"secret": {"secretName": "metadata-ca"}}),
        ("a CA from a ConfigMap", {"configMap": {"name": "roots"}}),
    ],
)
def test_a_certificate_authority_is_mounted_and_used(name: str, volume: Object) -> None:
    """In each pod that talks to the database: libpq takes it where the URL says nothing."""
    for what, spec in pod_specs(objects(name)).items():
        if what.startswith("Pod/"):
            continue
        (found,) = spec["volumes"]
        source = next(iter(volume))
        assert found[source] == volume[source] | {"items": [{"key": "ca.crt", "path": "ca.crt"}]}
        for container in [*spec.get("initContainers", ()), *spec["containers"]]:
            assert container["volumeMounts"][0]["mountPath"] == "/etc/daap/metadata/ca"
            assert environment(container)["PGSSLMODE"] == "verify-full"
            assert environment(container)["PGSSLROOTCERT"] == "/etc/daap/metadata/ca/ca.crt"


def test_a_client_certificate_is_read_by_nobody_else() -> None:
    spec = pod("a client certificate")
    assert spec["volumes"] == [
        {
            "name": "metadata-client",
            "secret": {"secretName": "metadata-client", "defaultMode": 0o440},
        }
    ]
    for container in [*spec["initContainers"], *spec["containers"]]:
        found = environment(container)
        assert found["PGSSLMODE"] == "verify-ca"
        assert found["PGSSLKEY"] == "/etc/daap/metadata/client/tls.key"


def test_replicas_are_kept_apart_and_through_drains() -> None:
    selector = deployment("the chart's own values")["spec"]["selector"]
    for constraint in pod("the chart's own values")["topologySpreadConstraints"]:
        assert constraint["labelSelector"] == selector
    budget = only(objects("the chart's own values"), "PodDisruptionBudget")
    assert budget["spec"]["selector"] == selector
    assert budget["spec"]["maxUnavailable"] == 1
    assert "PodDisruptionBudget" not in kinds("a single replica")


def test_selectors_find_the_operators_pods_only() -> None:
    selector = deployment("names")["spec"]["selector"]["matchLabels"]
    assert "team" not in selector  # it cannot be changed later
    for obj in objects("the chart's own values"):
        if obj["kind"] in ("Job", "Pod"):
            labels = obj["spec"].get("template", obj)["metadata"]["labels"]
            assert not selector.items() <= labels.items()


def test_probes() -> None:
    (operator,) = pod("the chart's own values")["containers"]
    assert operator["ports"] == [
        {"name": "probes", "containerPort": 8080, "protocol": "TCP"},
        {"name": "metrics", "containerPort": 9090, "protocol": "TCP"},
    ]
    assert environment(operator)["DAAP_HEALTH_PORT"] == "8080"
    assert environment(operator)["DAAP_METRICS_PORT"] == "9090"
    for probe, path in (("startup", "/livez"), ("liveness", "/livez"), ("readiness", "/readyz")):
        assert operator[f"{probe}Probe"]["httpGet"] == {"path": path, "port": "probes"}


def test_what_is_set_for_pods_is_in_every_pod() -> None:
    for what, spec in pod_specs(objects("pods")).items():
        assert spec["imagePullSecrets"] == [{"name": "registry"}], what
        assert spec["nodeSelector"] == {"kubernetes.io/os": "linux"}, what
        assert spec["tolerations"], what
        assert spec["priorityClassName"] == "system-cluster-critical", what
    assert pod("pods")["affinity"]
    metadata = deployment("pods")["spec"]["template"]["metadata"]
    assert metadata["annotations"] == {"example.com/a": "1"}
    assert metadata["labels"]["example.com/b"] == "2"
    assert environment(pod("pods")["containers"][0])["TZ"] == "UTC"


def test_helm_test_tries_a_database_with_a_teams_rights() -> None:
    role = only(objects("pods"), "Role", "daap-operator-test")
    assert role["metadata"]["namespace"] == "try"
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"create", "get", "delete"}
    (container,) = only(objects("pods"), "Pod")["spec"]["containers"]
    assert container["args"] == [
        "try",
        "--namespace=try",
        "--name=daap-operator-test",
        "--owner-team=a team",
        "--storage-class=fast",
        "--timeout=270",
    ]
    in_first = only(objects("two namespaces"), "Role", "daap-operator-test")
    assert in_first["metadata"]["namespace"] == "shop"
    assert "Pod" not in kinds("no test")
