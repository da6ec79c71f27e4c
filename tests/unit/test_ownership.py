"""Whose a child is, and whether an apply would change anything."""

import copy
import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from daap_operator import names
from daap_operator.engine.ownership import first_difference, others, owned_part, owner_labels
from daap_operator.kinds import known
from daap_operator.kinds.database.ownership import belongs_to, owners
from tests.unit import server_side_apply as api_server
from tests.unit import strategies

Object = dict[str, Any]

US, THEM = names.FIELD_MANAGER, "somebody-else"
OURS, THEIRS = "abc", "xyz"
"""Field names of what we apply, and of what others do."""

# --- manifests to apply ---------------------------------------------------------------------------

_scalars = st.integers(-2, 2) | st.booleans() | st.sampled_from(["", "a", "10Gi"])
_lists = st.lists(_scalars | st.dictionaries(st.sampled_from(OURS), _scalars), max_size=3)


def _below(letters: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[Object]:
    return st.dictionaries(st.sampled_from(letters), values, min_size=1, max_size=3)


def _trees(letters: str) -> st.SearchStrategy[Object]:
    values = st.recursive(_scalars | _lists, lambda values: _below(letters, values), max_leaves=6)
    return _below(letters, values)


def _containers(letters: str) -> st.SearchStrategy[list[Object]]:
    """Ours has one item, as all of the operator's own: how several are ordered is left out here."""
    most = 1 if letters is OURS else 2
    made = st.builds(
        lambda name, rest: {"name": name} | rest, st.sampled_from("pq"), _trees(letters)
    )
    return st.lists(made, min_size=1, max_size=most, unique_by=lambda item: str(item["name"]))


def manifests(letters: str) -> st.SearchStrategy[Object]:
    """What a field manager applies: nested fields, and lists of all kinds."""
    special = {
        "containers": _containers(letters),
        f"{letters[0]}1": st.fixed_dictionaries({"labelSelector": _below(letters, _scalars)}),
    }
    return st.builds(
        lambda spec, more, labels: {
            "apiVersion": "example.org/v1",
            "kind": "Thing",
            "metadata": {"name": "n", "namespace": "ns"} | ({"labels": labels} if labels else {}),
            "spec": spec | more,
        },
        _trees(letters),
        st.fixed_dictionaries({}, optional=special),
        st.dictionaries(st.sampled_from(letters), st.sampled_from("ab"), max_size=2),
    )


ours, theirs = manifests(OURS), manifests(THEIRS)


def seen(live: Object, manifest: Object) -> str:
    return first_difference(manifest, owned_part(live))


# --- properties -----------------------------------------------------------------------------------


@given(ours, st.none() | theirs)
def test_what_was_applied_is_no_difference(manifest: Object, before: Object | None) -> None:
    live = api_server.apply(before and api_server.apply(None, before, THEM), manifest, US)
    assert seen(live, manifest) == ""


@given(ours)
def test_what_we_own_of_an_object_of_our_own_is_all_of_it(manifest: Object) -> None:
    owned = owned_part(api_server.apply(None, manifest, US))
    assert owned["spec"] == manifest["spec"]
    assert owned.get("metadata", {}) == {
        k: v for k, v in manifest["metadata"].items() if k == "labels"
    }


@given(ours, theirs, st.booleans())
def test_what_others_own_is_no_difference(manifest: Object, foreign: Object, plain: bool) -> None:
    live = api_server.apply(None, manifest, US)
    if plain:
        live = api_server.updated(live, api_server.apply(live, foreign, THEM), "kubectl-edit")
    else:
        live = api_server.apply(live, foreign, THEM)
    assert seen(live, manifest) == ""


@given(ours, st.data(), st.booleans())
def test_a_field_that_somebody_changed_is_a_difference(
    manifest: Object, data: st.DataObject, plain: bool
) -> None:
    live = api_server.apply(None, manifest, US)
    changed = copy.deepcopy(live)
    path = data.draw(st.sampled_from(sorted(changeable(manifest))))
    put(changed, path, "changed")
    live = api_server.updated(live, changed, "e") if plain else api_server.apply(live, changed, "a")
    assert seen(live, manifest) != ""
    assert seen(api_server.apply(live, manifest, US), manifest) == ""


@given(ours, st.data())
def test_a_field_that_somebody_removed_is_a_difference(
    manifest: Object, data: st.DataObject
) -> None:
    live = api_server.apply(None, manifest, US)
    changed = copy.deepcopy(live)
    *above, last = data.draw(st.sampled_from(sorted(changeable(manifest))))
    container = changed
    for step in above:
        container = container[step]
    del container[last]
    assert seen(api_server.updated(live, changed, "e"), manifest) != ""


@given(ours, ours)
def test_another_manifest_is_a_difference(manifest: Object, wanted: Object) -> None:
    assume(manifest != wanted)
    live = api_server.apply(None, manifest, US)
    same = [parts(m) for m in (manifest, wanted)]
    assert (seen(live, wanted) == "") == (same[0] == same[1])


@given(strategies.json_values, strategies.json_values)
def test_an_object_of_any_shape_has_an_owner_and_an_owned_part(entry: Any, metadata: Any) -> None:
    ours = {"manager": US, "operation": "Apply", "fieldsV1": {"f:spec": {"f:a": {}}}}
    for child in ({"metadata": metadata}, {"metadata": {"managedFields": [entry, ours]}}):
        assert not belongs_to(child, UID)
        assert owners(child) == []
        assert isinstance(owned_part(child), dict)


def changeable(manifest: Object) -> set[tuple[str, ...]]:
    """The paths of the fields of the spec, but for the keys of list items."""
    found = set()
    pending: list[tuple[tuple[str, ...], Any]] = [(("spec",), manifest["spec"])]
    while pending:
        path, value = pending.pop()
        if len(path) > 1:
            found.add(path)
        if isinstance(value, dict) and path[-1] != "labelSelector":
            pending += [((*path, name), below) for name, below in value.items()]
    return found - {("spec", "containers")} or found


def put(obj: Object, path: tuple[str, ...], value: Any) -> None:
    for step in path[:-1]:
        obj = obj[step]
    obj[path[-1]] = value


def parts(manifest: Object) -> tuple[Any, Any]:
    """What counts of a manifest; numbers and truths are told apart."""
    return repr(_sorted(manifest["spec"])), manifest["metadata"].get("labels")


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return sorted((name, _sorted(below)) for name, below in value.items())
    return value


# --- examples -------------------------------------------------------------------------------------

UID = "5e1ec7ab-1e00-4000-8000-000000000001"
LABELS = owner_labels(known.DATABASE, UID)


def reference(**changed: str) -> Object:
    return {
        "apiVersion": known.DATABASE.api_version,
        "kind": known.DATABASE.name,
        "name": "x",
        "uid": UID,
    } | changed


OWNERS = {
    "owner reference": ({"ownerReferences": [reference()]}, UID),
    "owner reference of another version": (
        {"ownerReferences": [reference(apiVersion="daap.io/v2")]},
        UID,
    ),
    "reference beside another": (
        {"ownerReferences": [reference(kind="Cluster", uid="c"), reference()]},
        UID,
    ),
    "reference to another group's kind": (
        {"ownerReferences": [reference(apiVersion="example.org/v1")]},
        "",
    ),
    "reference to another kind": ({"ownerReferences": [reference(kind="Cluster")]}, ""),
    "label of a retained child": ({"labels": LABELS}, UID),
    "label of what belongs to another kind": ({"labels": owner_labels(known.CLUSTER, UID)}, ""),
    "label that somebody else has set": ({"labels": {known.DATABASE.uid_label: UID}}, ""),
    "reference before label": (
        {"ownerReferences": [reference(uid="later")], "labels": LABELS},
        "later",
    ),
    "reference after one to an earlier database": (
        {"ownerReferences": [reference(uid="earlier"), reference()]},
        UID,
    ),
    "reference to a group of a similar name": (
        {"ownerReferences": [reference(apiVersion="daap.io.example.org/v1")]},
        "",
    ),
    "reference to a core kind of that name": (
        {"ownerReferences": [reference(apiVersion="v1")]},
        "",
    ),
    "label of a retained child beside a reference to another group's kind": (
        {"ownerReferences": [reference(apiVersion="example.org/v1", uid="y")], "labels": LABELS},
        UID,
    ),
    "none": ({}, ""),
}


@pytest.mark.parametrize(("metadata", "uid"), OWNERS.values(), ids=OWNERS)
def test_the_owner_is_told_by_the_reference_or_else_by_our_label(
    metadata: Object, uid: str
) -> None:
    child = {"metadata": metadata}
    assert belongs_to(child, uid or UID) == bool(uid)
    assert not belongs_to(child, "nobody")
    assert not belongs_to(child, "")


@pytest.mark.parametrize(("metadata", "uid"), OWNERS.values(), ids=OWNERS)
def test_only_our_own_reference_is_taken_away(metadata: Object, uid: str) -> None:
    references = metadata.get("ownerReferences", [])
    left = others({"metadata": metadata}, "u-2")
    assert left == references
    assert others({"metadata": metadata}, UID) == [r for r in references if r["uid"] != UID]


LIVE: Object = {
    "metadata": {"name": "n", "finalizers": ["a", "b"], "labels": {"ours": "1", "theirs": "2"}},
    "spec": {
        "instances": 3,
        "hosts": ["a", "b", 1, True, {"x": [1]}],
        "items": [{"name": "a", "x": 1, "y": 2}, {"name": "b", "x": 1}, "no object"],
        "whole": {"any": ["thing"]},
    },
}

OWNED: dict[str, tuple[Object, Object]] = {
    "a field": ({"f:spec": {"f:instances": {}}}, {"spec": {"instances": 3}}),
    "a field that is gone": (
        {"f:spec": {"f:instances": {}, "f:gone": {}}},
        {"spec": {"instances": 3}},
    ),
    "a whole object": ({"f:spec": {"f:whole": {}}}, {"spec": {"whole": {"any": ["thing"]}}}),
    "a whole object that is named": (
        {"f:spec": {"f:whole": {".": {}}}},
        {"spec": {"whole": {"any": ["thing"]}}},
    ),
    "a whole list": (
        {"f:spec": {"f:hosts": {}}},
        {"spec": {"hosts": ["a", "b", 1, True, {"x": [1]}]}},
    ),
    "values of a set": (
        {"f:spec": {"f:hosts": {".": {}, 'v:"b"': {}, "v:true": {}, 'v:{"x":[1]}': {}, "v:{": {}}}},
        {"spec": {"hosts": ["b", True, {"x": [1]}]}},
    ),
    "a set of which nothing can be read": (
        {"f:spec": {"f:hosts": {f"v:{'[' * 100_000}": {}, f"k:{'[' * 100_000}": {}, "k:1": {}}}},
        {"spec": {"hosts": []}},
    ),
    "what no manifest of ours has": (
        {"f:metadata": {"f:finalizers": {'v:"b"': {}}, "f:name": {}}, "f:status": {"f:a": {}}},
        {"metadata": {}},
    ),
    "items by fields of which the second has one more": (
        {
            "f:spec": {
                "f:items": {
                    'k:{"name":"b"}': {"f:name": {}},
                    'k:{"name":"a","x":1}': {"f:y": {}},
                    'k:{"name":"a","x":2}': {"f:x": {}},
                }
            }
        },
        {"spec": {"items": [{"y": 2}, {"name": "b"}]}},
    ),
    "fields of an item": (
        {"f:spec": {"f:items": {'k:{"name":"a"}': {".": {}, "f:name": {}, "f:y": {}}}}},
        {"spec": {"items": [{"name": "a", "y": 2}]}},
    ),
    "a whole item": (
        {"f:spec": {"f:items": {'k:{"name":"b"}': {}}}},
        {"spec": {"items": [{"name": "b", "x": 1}]}},
    ),
    "some labels": (
        {"f:metadata": {"f:labels": {".": {}, "f:ours": {}}}},
        {"metadata": {"labels": {"ours": "1"}}},
    ),
    "fields below a value": (
        {"f:spec": {"f:instances": {"f:below": {}}}},
        {"spec": {"instances": 3}},
    ),
}


def entry(fields: Object, **changed: str) -> Object:
    return {"manager": US, "operation": "Apply", "fieldsV1": fields} | changed


@pytest.mark.parametrize(("fields", "part"), OWNED.values(), ids=OWNED)
def test_the_owned_part_is_what_the_set_of_fields_covers(fields: Object, part: Object) -> None:
    others = [entry({"f:spec": {}}, manager=THEM), entry({"f:spec": {}}, operation="Update")]
    status = entry({"f:status": {}}, subresource="status")
    metadata = LIVE["metadata"] | {"managedFields": [*others, status, entry(fields)]}
    assert owned_part(LIVE | {"metadata": metadata}) == part


def test_an_object_that_we_never_applied_has_no_owned_part() -> None:
    metadata = LIVE["metadata"] | {"managedFields": [entry({"f:spec": {}}, manager=THEM)]}
    assert owned_part(LIVE | {"metadata": metadata}) == {}
    assert owned_part(LIVE) == {}


WANTED: Object = {
    "metadata": {"name": "n", "namespace": "ns", "labels": {"a": "1"}},
    "spec": {"instances": 1, "storage": {"size": "1Gi"}, "hosts": ["a", "b"]},
}

DIFFERENCES: dict[str, tuple[Object, str]] = {
    "none": ({}, ""),
    "a value": ({"spec": WANTED["spec"] | {"instances": 2}}, "spec.instances"),
    "a type": ({"spec": WANTED["spec"] | {"instances": True}}, "spec.instances"),
    "a value below": ({"spec": WANTED["spec"] | {"storage": {"size": "2Gi"}}}, "spec.storage.size"),
    "a list's order": ({"spec": WANTED["spec"] | {"hosts": ["b", "a"]}}, "spec.hosts"),
    "a field that is lost": ({"spec": {"instances": 1, "hosts": ["a", "b"]}}, "spec.storage"),
    "a field no longer wanted": ({"spec": WANTED["spec"] | {"old": 1}}, "spec.old"),
    "an object that became a value": ({"spec": WANTED["spec"] | {"storage": 1}}, "spec.storage"),
    "a label": ({"metadata": {"labels": {"a": "2"}}}, "metadata.labels.a"),
    "a lost owner": ({"metadata": {}}, "metadata.labels"),
}


@pytest.mark.parametrize(("owned", "path"), DIFFERENCES.values(), ids=DIFFERENCES)
def test_the_first_difference_is_told_by_its_path(owned: Object, path: str) -> None:
    same = {"metadata": {"labels": {"a": "1"}}, "spec": WANTED["spec"]}
    assert first_difference(WANTED, same | owned) == path


def test_what_was_never_applied_differs_from_the_start() -> None:
    assert first_difference(WANTED, {}) == "metadata.labels"


CONFIG: Object = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "n", "namespace": "ns"},
    "data": {"a": "1"},
}

DIFFERENT_CONFIGS: dict[str, tuple[Object, str]] = {
    "none": ({"data": {"a": "1"}}, ""),
    "a value": ({"data": {"a": "2"}}, "data.a"),
    "all of it": ({}, "data.a"),
    "a part no longer wanted": ({"data": {"a": "1"}, "binaryData": {"b": ""}}, "binaryData.b"),
    "what is never applied": ({"data": {"a": "1"}, "status": {"a": 1}}, ""),
}


@pytest.mark.parametrize(("owned", "path"), DIFFERENT_CONFIGS.values(), ids=DIFFERENT_CONFIGS)
def test_an_object_may_have_other_parts_than_a_spec(owned: Object, path: str) -> None:
    assert first_difference(CONFIG, owned) == path


QUANTITIES: Object = {
    "metadata": {"name": "n", "namespace": "ns"},
    "spec": {
        "storage": {"size": "1Gi", "storageClass": "1Gi"},
        "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "2Gi"}},
        "template": {"containers": [{"name": "c", "resources": {"limits": {"cpu": "50m"}}}]},
    },
}


def rewritten(old: str, new: str) -> Object:
    spec: Object = json.loads(json.dumps(QUANTITIES["spec"]).replace(old, new))
    return {"spec": spec}


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ('"size": "1Gi"', '"size": "1024Mi"', ""),
        ('"size": "1Gi"', '"size": "1073741824"', ""),
        ('"size": "1Gi"', '"size": "1G"', "spec.storage.size"),
        ('"cpu": "1"', '"cpu": "1000m"', ""),
        ('"cpu": "1"', '"cpu": 1', ""),
        ('"cpu": "1"', '"cpu": true', "spec.resources.requests.cpu"),
        ('"cpu": "1"', '"cpu": "one"', "spec.resources.requests.cpu"),
        ('"memory": "2Gi"', '"memory": "2048Mi"', ""),
        ('"cpu": "50m"', '"cpu": "0.05"', ""),
        ('"cpu": "50m"', '"cpu": "0.06"', "spec.template.containers"),
        ('"storageClass": "1Gi"', '"storageClass": "1024Mi"', "spec.storage.storageClass"),
    ],
)
def test_quantities_differ_by_value_not_by_how_they_are_written(
    old: str, new: str, path: str
) -> None:
    assert first_difference(QUANTITIES, rewritten(old, new)) == path
