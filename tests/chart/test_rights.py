"""What the rendered roles give, to the operator and to users."""

import pytest

from dev.generate.rbac import WHY, Right, rights
from tests.support.helm import Object, only, render

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
            assert rule.keys() <= {"apiGroups", "resources", "resourceNames", "verbs"}
            for right in rights([rule]):
                assert "*" not in "".join(right)
                assert right.verb not in ("escalate", "bind", "impersonate")
                assert not (right.resource == "secrets" and right.verb in ("list", "watch"))


def test_the_operator_gets_what_the_reference_tells(objects: list[Object]) -> None:
    own = {
        right
        for role in roles(objects)
        if role["metadata"]["labels"].get("app.kubernetes.io/component") == "operator"
        for right in rights(role["rules"])
    }
    assert own == WHY.keys()


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
    assert rights(everywhere["rules"]) == [Right("storage.k8s.io", "storageclasses", "get")]
    assert sorted(found) == [
        ("ClusterRoleBinding", "", "daap-operator-storageclasses"),
        ("RoleBinding", "billing", "daap-operator"),
        ("RoleBinding", "daap-system", "daap-operator-lease"),
        ("RoleBinding", "shop", "daap-operator"),
        ("RoleBinding", "shop", "daap-operator-test"),
    ]


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
    for name in ("view", "edit", "servicebinding"):
        users = only(render(), "ClusterRole", f"daap-operator-{name}")
        assert {right.resource for right in rights(users["rules"])} == {"daapdatabases"}


def test_roles_can_be_left_to_others() -> None:
    left = roles(render({"rbac": {"create": False, "aggregateClusterRoles": False}}))
    assert [role["metadata"]["name"] for role in left] == ["daap-operator-test"]


def test_a_right_is_one_verb_on_one_resource() -> None:
    rule = {"apiGroups": ["g"], "resources": ["a", "b"], "verbs": ["get"]}
    assert rights([rule]) == [Right("g", "a", "get"), Right("g", "b", "get")]
