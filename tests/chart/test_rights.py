"""What the rendered roles give, to the operator and to users."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from daap_operator.api.v1alpha1 import DEFINITIONS
from daap_operator.engine.rights import Permission, serving
from daap_operator.kube import EVENT, Kind
from daap_operator.rights import RIGHTS
from dev.generate import rbac
from dev.installation import CHART, NAMESPACE
from tests.support.helm import Object, helm, only, render
from tests.support.rights import DECLARED, granted

SHELF = Kind("toys.example", "v1", "Shelf", "shelves", namespaced=False)

NAMESPACES = ["shop", "billing"]


def roles(objects: list[Object]) -> list[Object]:
    return [o for o in objects if o["kind"] in ("ClusterRole", "Role")]


def bindings(objects: list[Object]) -> list[Object]:
    return [o for o in objects if o["kind"] in ("ClusterRoleBinding", "RoleBinding")]


def place(obj: Object) -> tuple[str, str, str]:
    metadata = obj["metadata"]
    return obj["kind"], metadata.get("namespace", ""), metadata["name"]


@pytest.fixture(scope="module", params=[[], NAMESPACES], ids=["everywhere", "two namespaces"])
def objects(request: pytest.FixtureRequest) -> list[Object]:
    return render({"watchNamespaces": request.param})


def test_no_wildcard_and_nothing_that_leads_further(objects: list[Object]) -> None:
    for role in roles(objects):
        for rule in role["rules"]:
            if role["metadata"]["name"] == "daap-operator-metrics-reader":
                assert rule == {"nonResourceURLs": ["/metrics"], "verbs": ["get"]}
                continue
            assert rule.keys() <= {"apiGroups", "resources", "resourceNames", "verbs"}
            for right in granted([rule]):
                assert "*" not in "".join(right)
                assert right.verb not in ("escalate", "bind", "impersonate")
                assert not (right.resource == "secrets" and right.verb in ("list", "watch"))


def test_the_operator_gets_what_it_declares_and_no_more(objects: list[Object]) -> None:
    own = {
        right
        for role in roles(objects)
        if role["metadata"]["labels"].get("app.kubernetes.io/component") == "operator"
        for right in granted(role["rules"])
    }
    assert own == DECLARED


def test_each_role_is_bound_to_the_operator(objects: list[Object]) -> None:
    for binding in bindings(objects):
        kind, namespace, _ = place(binding)
        name = binding["roleRef"]["name"]
        expected = ("Role" if kind == "RoleBinding" else "ClusterRole", namespace, name)
        assert expected in {place(role) for role in roles(objects)}
        (subject,) = binding["subjects"]
        account = "daap-operator-test" if name.endswith("-test") else "daap-operator"
        assert (subject["namespace"], subject["name"]) == ("daap-system", account)


def test_with_namespaces_the_operator_has_nothing_elsewhere() -> None:
    objects = render({"watchNamespaces": NAMESPACES})
    found = [place(b) for b in bindings(objects)]
    everywhere = only(objects, "ClusterRole", "daap-operator-storageclasses")
    assert granted(everywhere["rules"]) == [Permission("storage.k8s.io", "storageclasses", "get")]
    reviews = only(objects, "ClusterRole", "daap-operator-metrics-auth")
    assert granted(reviews["rules"]) == [
        Permission("authentication.k8s.io", "tokenreviews", "create"),
        Permission("authorization.k8s.io", "subjectaccessreviews", "create"),
    ]
    assert sorted(found) == [
        ("ClusterRoleBinding", "", "daap-operator-metrics-auth"),
        ("ClusterRoleBinding", "", "daap-operator-storageclasses"),
        ("RoleBinding", "billing", "daap-operator"),
        ("RoleBinding", "daap-system", "daap-operator-lease"),
        ("RoleBinding", "shop", "daap-operator"),
        ("RoleBinding", "shop", "daap-operator-test"),
    ]


@pytest.mark.parametrize("namespaces", [[], NAMESPACES], ids=["everywhere", "two namespaces"])
def test_a_served_kind_in_no_namespace_costs_a_small_role_and_its_events(
    namespaces: list[str], tmp_path: Path
) -> None:
    chart = shutil.copytree(CHART, tmp_path / "chart")
    rules = rbac.templates([*RIGHTS, *serving(SHELF)], DEFINITIONS)
    (chart / "templates" / "_rules.tpl").write_text(rules)
    options = (f"--namespace={NAMESPACE}", f"--set-json=watchNamespaces={json.dumps(namespaces)}")
    text = helm("template", "toys", str(chart), *options)
    objects = [obj for obj in yaml.safe_load_all(text) if obj]
    everywhere = only(objects, "ClusterRole", "toys-daap-operator-storageclasses")
    assert Permission("toys.example", "shelves/status", "patch") in granted(everywhere["rules"])
    events = [granted(role["rules"]) for role in roles(objects) if place(role)[1] == "default"]
    assert events == ([[Permission(EVENT.group, "events", "create")]] if namespaces else [])
    bound = [place(b) for b in bindings(objects) if place(b)[1] == "default"]
    expected = [("RoleBinding", "default", "toys-daap-operator-events")]
    assert bound == (expected if namespaces else [])


def test_the_lease_is_the_one_of_the_release() -> None:
    lease = only(render({"fullnameOverride": "daap"}), "Role", "daap-lease")
    assert lease["rules"][0]["resourceNames"] == ["daap"]
    assert lease["rules"][1] == {
        "apiGroups": ["coordination.k8s.io"],
        "resources": ["leases"],
        "verbs": ["create"],
    }


def test_users_get_databases_through_the_clusters_own_roles() -> None:
    found = {
        role["metadata"]["name"]: {
            label.rpartition("-")[2]
            for label in role["metadata"]["labels"]
            if label.startswith("rbac.authorization.k8s.io/aggregate-to-")
        }
        for role in roles(render())
    }
    assert found["daap-operator-view"] == {"view", "edit", "admin"}
    assert found["daap-operator-edit"] == {"edit", "admin"}
    binding = only(render(), "ClusterRole", "daap-operator-servicebinding")
    assert binding["metadata"]["labels"]["servicebinding.io/controller"] == "true"
    own = {"daapdatabases", "daapbackups", "daaprestores", "daapdrills", "daapschemas"}
    for name, of in (("view", own), ("edit", own), ("servicebinding", {"daapdatabases"})):
        users = only(render(), "ClusterRole", f"daap-operator-{name}")
        assert {right.resource for right in granted(users["rules"])} == of


def test_roles_can_be_left_to_others() -> None:
    left = roles(render({"rbac": {"create": False, "aggregateClusterRoles": False}}))
    assert [role["metadata"]["name"] for role in left] == ["daap-operator-test"]


def test_a_right_is_one_verb_on_one_resource() -> None:
    rule = {"apiGroups": ["g"], "resources": ["a", "b"], "verbs": ["get"]}
    assert granted([rule]) == [Permission("g", "a", "get"), Permission("g", "b", "get")]
