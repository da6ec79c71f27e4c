"""The chart's admission policies as they are rendered: every switch, and whom they look at."""

import json
from typing import Any

import pytest

from daap_operator import settings
from daap_operator.kinds.drill import checking
from dev.installation import NAMESPACE
from tests.support.admission import (
    BINDING,
    BOUNDS,
    BOUNDS_OF_DRILLS,
    BOUNDS_OF_SCHEMAS,
    CHILDREN,
    CLAIMS,
    CNPG,
    CRDS,
    LABELS,
    MARKS,
    MARKS_OF_BACKUPS,
    MARKS_OF_DRILLS,
    MARKS_OF_SCHEMAS,
    MARKS_OF_SECRETS,
    MEMBERS,
    METADATA,
    NAMES,
    NAMESPACES,
    OWNERSHIP,
    POLICY,
    PROTECTION,
    REFERENCES,
    SECRETS,
    SOURCES,
    VERSIONS,
    policies,
)
from tests.support.helm import HelmError, only, render

Object = dict[str, Any]


def ownership(**values: Any) -> Object:
    return {"admission": {"ownership": {"membersOnly": True, "groupPrefix": "team:", **values}}}


EVERYWHERE = {CRDS, *BOUNDS}
"""What looks at all namespaces, whichever are served."""
GUARDS = {PROTECTION, CHILDREN, NAMESPACES, CLAIMS, SECRETS}
MARKED = {MARKS, MARKS_OF_BACKUPS, MARKS_OF_DRILLS, MARKS_OF_SCHEMAS, MARKS_OF_SECRETS}
ALL = GUARDS | MARKED | {OWNERSHIP, VERSIONS, METADATA, NAMES, SOURCES, *EVERYWHERE}
BY_TEAM = {MEMBERS, REFERENCES}
OFF = {"enabled": False}


@pytest.mark.parametrize(
    ("admission", "rendered"),
    [
        ({}, ALL),
        ({"deletionProtection": OFF}, ALL - GUARDS),
        ({"marks": OFF}, ALL - MARKED),
        ({"ownership": OFF}, ALL - {OWNERSHIP}),
        ({"postgresVersions": OFF}, ALL - {VERSIONS}),
        ({"operatorBounds": OFF}, ALL - set(BOUNDS)),
        ({"crdProtection": OFF}, ALL - {CRDS}),
        ({"metadata": OFF}, ALL - {METADATA}),
        ({"names": OFF}, ALL - {NAMES}),
        ({"sources": OFF}, ALL - {SOURCES}),
        ({"names": OFF | {"prefixWithTeam": True}}, ALL),
        ({"labels": {"enabled": True}}, ALL | set(LABELS.values())),
        ({"ownership": {"membersOnly": True, "groupPrefix": "team:"}}, ALL | BY_TEAM),
        (
            {
                "deletionProtection": OFF,
                "marks": OFF,
                "metadata": OFF,
                "names": OFF,
                "ownership": OFF | {"membersOnly": True},
                "postgresVersions": OFF,
                "operatorBounds": OFF,
                "crdProtection": OFF,
                "sources": OFF,
            },
            set(),
        ),
    ],
    ids=[
        "default",
        "no protection",
        "no marks",
        "no ownership",
        "no versions",
        "no bounds",
        "no CRD",
        "no metadata",
        "no names",
        "no sources",
        "prefixes",
        "labels",
        "members",
        "none",
    ],
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
            everywhere = obj["metadata"]["name"] in EVERYWHERE
            assert selector == ({} if everywhere else {"matchExpressions": [served]})


def test_the_operator_is_known_by_its_service_account() -> None:
    values = ownership() | {"serviceAccount": {"create": False, "name": "mine"}}
    objects = render(values, namespace="elsewhere")
    for name in (CHILDREN, CLAIMS, SECRETS, MARKS, MARKS_OF_SECRETS, *BY_TEAM, *BOUNDS):
        conditions = only(objects, POLICY, name)["spec"]["matchConditions"]
        told = "".join(condition["expression"] for condition in conditions)
        assert '"system:serviceaccount:elsewhere:mine"' in told


def test_cloudnativepg_is_known_by_its_service_accounts() -> None:
    values = {"admission": {"cnpgServiceAccounts": ["operators/cnpg"]}}
    for given, user in (({}, CNPG.name), (values, "system:serviceaccount:operators:cnpg")):
        objects = render(given)
        for name in (CLAIMS, SECRETS):
            (condition,) = only(objects, POLICY, name)["spec"]["matchConditions"]
            assert f'"{user}"' in condition["expression"]


def test_what_others_have_does_not_depend_on_the_crd() -> None:
    """Policies that are asked of all namespaces, claims or Secrets, and need the CRD to work."""
    objects = render({})
    for name in (NAMESPACES, CLAIMS, SECRETS):
        assert only(objects, POLICY, name)["spec"]["failurePolicy"] == "Ignore"
    for name in (PROTECTION, CHILDREN, *MARKED):
        assert only(objects, POLICY, name)["spec"]["failurePolicy"] == "Fail"


@pytest.mark.parametrize("enabled", [True, False])
def test_helm_test_may_make_its_database(enabled: bool) -> None:
    objects = policies(ownership() | {"test": {"enabled": enabled}})
    condition = only(objects, POLICY, MEMBERS)["spec"]["matchConditions"][0]
    assert only(objects, POLICY, REFERENCES)["spec"]["matchConditions"][0] == condition
    assert ("daap-system:daap-operator-test" in condition["expression"]) is enabled


def place(**values: Any) -> str:
    """Where the policy for Clusters lets the operator create one."""
    spec = only(policies(values), POLICY, BOUNDS[1])["spec"]
    return str(spec["validations"][0]["expression"])


def test_the_operator_works_in_its_own_namespace_for_helm_test_alone() -> None:
    assert "'daap.io/database'].orValue('') == \"daap-operator-test\"" in place()
    for other in ({"test": {"enabled": False}}, {"test": {"namespace": "shop"}}):
        assert "daap-operator-test" not in place(**other)


def test_the_operator_works_in_namespaces_that_the_values_name() -> None:
    assert "request.namespace in" not in place()
    allowed = {"operatorBounds": {"allowedNamespaces": ["kube-tools"]}}
    assert 'request.namespace in ["kube-tools"]' in place(admission=allowed)
    assert 'in ["daap-system","shop"]' in place(watchNamespaces=["daap-system", "shop"])


@pytest.mark.parametrize(
    ("image", "pattern"),
    [
        ("r.example:5000/pg:{major}", r"^r\\.example:5000/pg:[0-9]{1,3}$"),
        ("r.example/a+b:{major}.1-x", r"^r\\.example/a\\+b:[0-9]{1,3}\\.1-x$"),
    ],
)
def test_the_image_is_compared_literally(image: str, pattern: str) -> None:
    spec = only(policies({"config": {"postgresImage": image}}), POLICY, BOUNDS[1])["spec"]
    wrong = next(v["expression"] for v in spec["variables"] if v["name"] == "wrong")
    assert f'matches("{pattern}")' in wrong


def test_a_drills_command_is_the_operators() -> None:
    spec = only(policies({}), POLICY, BOUNDS_OF_DRILLS)["spec"]
    wrong = next(v["expression"] for v in spec["variables"] if v["name"] == "wrong")
    command = json.dumps(checking.AMCHECK_COMMAND).replace(">", r"\u003e")  # as Helm writes it
    assert f"== ['/bin/sh', '-c', {command}]" in wrong


def test_each_job_of_the_operator_is_judged_by_one_policy() -> None:
    """By either condition, which is the other one's negation, and by nothing else."""
    objects = policies({})
    drills, schemas = (
        only(objects, POLICY, name)["spec"] for name in (BOUNDS_OF_DRILLS, BOUNDS_OF_SCHEMAS)
    )
    assert drills["matchConstraints"] == schemas["matchConstraints"]
    (operator, other), (same, its) = drills["matchConditions"], schemas["matchConditions"]
    assert operator == same
    assert other["expression"] == f"!({its['expression']})"


def test_a_schemas_image_is_the_operators() -> None:
    digest = f"sha256:{'d' * 64}"
    objects = render({"image": {"repository": "r.example/op", "digest": digest}})
    container = only(objects, "Deployment")["spec"]["template"]["spec"]["containers"][0]
    spec = only(objects, POLICY, BOUNDS_OF_SCHEMAS)["spec"]
    wrong = next(v["expression"] for v in spec["variables"] if v["name"] == "wrong_args")
    assert container["image"] == f"r.example/op@{digest}"
    assert f"variables.container.?image.orValue('') == \"{container['image']}\"" in wrong


def test_images_with_a_digest_reach_the_operator_and_its_policy() -> None:
    images = {major: f"r.example/pg:{major}.1@sha256:{major * 32}" for major in ("17", "18")}
    objects = render({"config": {"postgresImages": images}})
    container = only(objects, "Deployment")["spec"]["template"]["spec"]["containers"][0]
    given = {e["name"]: e["value"] for e in container["env"] if "value" in e}
    told = {"DATABASE_URL": "x", "DAAP_POSTGRES_IMAGES": given["DAAP_POSTGRES_IMAGES"]}
    assert settings.read(told).postgres_images == {17: images["17"], 18: images["18"]}
    spec = only(objects, POLICY, BOUNDS[1])["spec"]
    wrong = next(v["expression"] for v in spec["variables"] if v["name"] == "wrong")
    assert f'variables.image in ["{images["17"]}","{images["18"]}"]' in wrong


def test_fields_that_the_values_add() -> None:
    added = {"extraClusterFields": ["plugins"], "extraPoolerFields": ["monitoring"]}
    objects = policies({"admission": {"operatorBounds": added}})
    for policy, field in ((BOUNDS[1], "plugins"), (BOUNDS[2], "monitoring")):
        spec = only(objects, POLICY, policy)["spec"]
        top = next(v["expression"] for v in spec["variables"] if v["name"] == "beyond_top")
        assert f',"{field}"]' in top


def test_settings_that_the_values_add() -> None:
    added = {"extraClusterFields": ["postgresql.parameters.new_setting"]}
    spec = only(policies({"admission": {"operatorBounds": added}}), POLICY, BOUNDS[1])["spec"]
    name = "beyond_postgresql_parameters"
    (settable,) = [v["expression"] for v in spec["variables"] if v["name"] == name]
    assert '"new_setting"' in settable
    assert '"work_mem"' in settable
    (beyond,) = [v["expression"] for v in spec["variables"] if v["name"] == "beyond"]
    assert f"variables.{name}" in beyond


def test_a_field_that_the_values_add_may_have_anything_in_it() -> None:
    added = {"operatorBounds": {"extraClusterFields": ["affinity"]}}
    for admission, looked_into in (({}, True), (added, False)):
        spec = only(policies({"admission": admission}), POLICY, BOUNDS[1])["spec"]
        names = [v["name"] for v in spec["variables"]]
        beyond = next(v["expression"] for v in spec["variables"] if v["name"] == "beyond")
        assert ("beyond_affinity" in names) is looked_into
        assert ("beyond_affinity" in beyond) is looked_into


def test_after_an_upgrade_that_reuses_values_all_of_it_is_on() -> None:
    without = {"operatorBounds": None, "crdProtection": None, "sources": None}
    rendered = {obj["metadata"]["name"] for obj in policies({"admission": without})}
    assert rendered >= EVERYWHERE | {SOURCES}


def test_a_source_elsewhere_is_judged_before_it_is_allowed_too() -> None:
    """What was stored until then would have the data of whomever it names, and was not asked."""

    def judged(*, allowed: bool, **admission: Any) -> list[Object]:
        values = {"config": {"restore": {"acrossNamespaces": allowed}}, "admission": admission}
        return [obj for obj in policies(values) if obj["metadata"]["name"] == SOURCES]

    assert len(judged(allowed=False)) == 2
    assert judged(allowed=False) == judged(allowed=True) == judged(allowed=True, sources=OFF)


def test_what_the_values_say_stays_a_string() -> None:
    """Quotes and backslashes end no expression early."""
    spec = only(policies(ownership(groupPrefix="a'\"\\b")), POLICY, MEMBERS)["spec"]
    foreign = next(v["expression"] for v in spec["variables"] if v["name"] == "foreign")
    assert r'"a' + "'" + r"\"\\b" + '" + t' in foreign


def test_a_warning_is_no_refusal() -> None:
    objects = policies(ownership(action="Warn"))
    for name in (OWNERSHIP, *BY_TEAM):
        assert only(objects, BINDING, name)["spec"]["validationActions"] == ["Warn", "Audit"]
    assert only(objects, BINDING, PROTECTION)["spec"]["validationActions"] == ["Deny"]


def test_members_need_a_prefix() -> None:
    """Otherwise everybody is a member of a team called as one of his groups."""
    with pytest.raises(HelmError, match=r"groupPrefix is empty with .*membersOnly.*Set it to what"):
        policies(ownership(groupPrefix=""))
    assert only(policies(ownership(groupPrefix="", allowEmptyGroupPrefix=True)), POLICY, MEMBERS)


def test_the_name_of_helm_test_is_its_own() -> None:
    without = only(policies({"test": {"enabled": False}}), POLICY, NAMES)["spec"]["validations"]
    assert "-tbs" in without[0]["expression"]
    assert not any("helm test" in rule["messageExpression"] for rule in without)
    for values, place in (({}, NAMESPACE), ({"test": {"namespace": "trial"}}, "trial")):
        spec = only(policies(values), POLICY, NAMES)["spec"]
        assert f'request.namespace == "{place}"' in spec["validations"][0]["expression"]
        assert "daap-operator-test" in spec["matchConditions"][0]["expression"]


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
