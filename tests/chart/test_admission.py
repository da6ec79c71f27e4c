"""The chart's admission policies as they are rendered: every switch, and whom they look at."""

from typing import Any

import pytest

from tests.support.admission import (
    BINDING,
    CHILDREN,
    MEMBERS,
    NAMESPACES,
    OWNERSHIP,
    POLICY,
    PROTECTION,
    VERSIONS,
    policies,
)
from tests.support.helm import HelmError, only, render

Object = dict[str, Any]


def ownership(**values: Any) -> Object:
    return {"admission": {"ownership": {"membersOnly": True, **values}}}


@pytest.mark.parametrize(
    ("admission", "rendered"),
    [
        ({}, {PROTECTION, CHILDREN, NAMESPACES, OWNERSHIP, VERSIONS}),
        ({"deletionProtection": {"enabled": False}}, {OWNERSHIP, VERSIONS}),
        ({"ownership": {"enabled": False}}, {PROTECTION, CHILDREN, NAMESPACES, VERSIONS}),
        ({"postgresVersions": {"enabled": False}}, {PROTECTION, CHILDREN, NAMESPACES, OWNERSHIP}),
        (
            {"ownership": {"membersOnly": True}},
            {PROTECTION, CHILDREN, NAMESPACES, OWNERSHIP, MEMBERS, VERSIONS},
        ),
        (
            {
                "deletionProtection": {"enabled": False},
                "ownership": {"enabled": False, "membersOnly": True},
                "postgresVersions": {"enabled": False},
            },
            set(),
        ),
    ],
    ids=["default", "no protection", "no ownership", "no versions", "all", "none"],
)
def test_switches(admission: Object, rendered: set[str]) -> None:
    objects = policies({"admission": admission})
    for kind in (POLICY, BINDING):
        assert {obj["metadata"]["name"] for obj in objects if obj["kind"] == kind} == rendered
    for obj in objects:
        if obj["kind"] == BINDING:
            assert obj["spec"]["policyName"] == obj["metadata"]["name"]


def test_only_the_namespaces_that_are_served() -> None:
    served = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["shop", "bank"]}
    for obj in policies(ownership() | {"watchNamespaces": ["shop", "bank"]}):
        if obj["kind"] == POLICY:
            selector = obj["spec"]["matchConstraints"]["namespaceSelector"]
            assert selector == {"matchExpressions": [served]}


def test_the_operator_is_known_by_its_service_account() -> None:
    values = ownership() | {"serviceAccount": {"create": False, "name": "mine"}}
    objects = render(values, namespace="elsewhere")
    for name in (CHILDREN, MEMBERS):
        conditions = only(objects, POLICY, name)["spec"]["matchConditions"]
        assert '"system:serviceaccount:elsewhere:mine"' in conditions[0]["expression"]


@pytest.mark.parametrize("enabled", [True, False])
def test_helm_test_may_make_its_database(enabled: bool) -> None:
    objects = policies(ownership() | {"test": {"enabled": enabled}})
    condition = only(objects, POLICY, MEMBERS)["spec"]["matchConditions"][0]
    assert ("daap-system:daap-operator-test" in condition["expression"]) is enabled


def test_what_the_values_say_stays_a_string() -> None:
    """Quotes and backslashes end no expression early."""
    spec = only(policies(ownership(groupPrefix="a'\"\\b")), POLICY, MEMBERS)["spec"]
    foreign = next(v["expression"] for v in spec["variables"] if v["name"] == "foreign")
    assert r'"a' + "'" + r"\"\\b" + '" + t' in foreign


def test_a_warning_is_no_refusal() -> None:
    objects = policies(ownership(action="Warn"))
    for name in (OWNERSHIP, MEMBERS):
        assert only(objects, BINDING, name)["spec"]["validationActions"] == ["Warn", "Audit"]
    assert only(objects, BINDING, PROTECTION)["spec"]["validationActions"] == ["Deny"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"action": "Audit"}, "/admission/ownership/action"),
        ({"exemptServiceAccounts": ["argocd"]}, "/admission/ownership/exemptServiceAccounts/0"),
        ({"members": True}, "/admission/ownership"),
    ],
)
def test_wrong_values_are_refused(values: Object, said: str) -> None:
    with pytest.raises(HelmError, match=said):
        policies(ownership(**values))
