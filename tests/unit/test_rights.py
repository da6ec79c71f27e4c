"""Rights are declared with the kind, and come to rules: each where it is needed."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import yaml

from daap_operator.api.definition import Definition
from daap_operator.api.v1alpha1 import DEFINITIONS
from daap_operator.engine.kinds import Right, Watch, Where
from daap_operator.engine.rights import VERBS, Permission, reasons, rules, scoped, serving, watching
from daap_operator.kinds import known
from daap_operator.kinds.served import KINDS, Kinds
from daap_operator.kube import ACCESS_REVIEW, EVENT, LEASE, TOKEN_REVIEW, Kind
from daap_operator.rights import RIGHTS, rights
from dev.generate import rbac
from tests.toys import task, team
from tests.toys.team import DEFINITION
from tests.unit.toys import SHELF, SHELVES, TOY, itself, keep

BOX = Kind("toys.example", "v1", "Box", "boxes")


def asked(rights: Iterable[Right]) -> list[str]:
    """As in `get toys/status`."""
    made = map(Permission.of, rights)
    return [f"{verb} {resource}" for _, resource, verb in made]


def template(name: str, rights: list[Right], definitions: list[Definition]) -> Any:
    """The rules in one of the chart's templates."""
    text = rbac.templates(rights, definitions)
    body = text.partition(f'define "daap-operator.{name}" -}}}}\n')[2].partition("{{- end }}")[0]
    return yaml.safe_load(body.replace(rbac.NAME, "name"))


# --- what a kind takes ----------------------------------------------------------------------------


def test_what_is_watched_is_listed_and_watched() -> None:
    plain = Watch(TOY, keep, itself)
    assert asked(watching([plain, SHELVES])) == [
        *("list toys", "watch toys"),
        *("list shelves", "watch shelves"),
    ]


def test_a_watch_says_what_for() -> None:
    listed, watched = watching([Watch(TOY, keep, itself, "red", why="the red ones only")])
    assert (listed.why, watched.why) == ("the red ones only", "the same, within a second")


def test_what_is_served_has_a_finalizer_and_a_status() -> None:
    assert asked(serving(TOY)) == ["get toys", "patch toys", "patch toys/status"]


def test_events_on_what_is_in_no_namespace_are_in_one() -> None:
    *_, events = serving(SHELF)
    assert (events.kind, events.verb, events.where) == (EVENT, "create", Where.DEFAULT)
    assert [right.kind for right in scoped(serving(SHELF)).cluster] == [SHELF] * 3
    assert scoped(serving(SHELF)).default == [events]


def test_one_more_entry_in_the_tuple_of_kinds_is_granted_and_explained() -> None:
    kinds: Kinds = (*KINDS, task.TaskController, team.TeamController)
    definitions = [*DEFINITIONS, task.DEFINITION, team.DEFINITION]
    more = rights(kinds)
    toys = {*task.TaskController.rights, *team.TeamController.rights}
    assert set(more) - set(RIGHTS) == toys - set(RIGHTS)
    granted = {
        name: {
            (group, resource): each["verbs"]
            for each in template(name, list(more), definitions)
            for group in each["apiGroups"]
            for resource in each["resources"]
        }
        for name in ("rules", "clusterRules", "defaultRules", "editRules")
    }
    ours = task.TASK.group
    assert granted["rules"]["batch", "jobs"] == [verb for verb in VERBS if verb != "update"]
    assert granted["rules"][ours, "daaptasks"] == ["get", "list", "watch", "patch"]
    assert granted["clusterRules"][ours, "daapteams"] == ["get", "list", "watch", "patch"]
    assert granted["clusterRules"][ours, "daapteams/status"] == ["patch"]
    assert granted["defaultRules"] == {("events.k8s.io", "events"): ["create"]}
    assert (ours, "daaptasks") in granted["editRules"]
    assert (ours, "daapteams") not in granted["editRules"]
    page = rbac.page(more, definitions)
    changed = "one whose files, database or options have changed, by uid"
    ended = f"at the end of the drill, by uid; {changed}; by uid, with its DaapTask"
    assert f"| batch | `jobs` | delete | {ended}" in page
    assert "| toys.example | `daapteams` | patch | the finalizer" in page


def test_each_kind_is_there_for_something() -> None:
    declared = {kind for kind in vars(known).values() if isinstance(kind, Kind)}
    assert {right.kind for right in RIGHTS} == declared | {
        EVENT,
        LEASE,
        TOKEN_REVIEW,
        ACCESS_REVIEW,
    }


def test_secrets_are_neither_listed_nor_watched() -> None:
    assert {right.verb for right in RIGHTS if right.kind == known.SECRET}.isdisjoint(
        {"list", "watch"}
    )


# --- rules ----------------------------------------------------------------------------------------


def test_resources_with_the_same_verbs_stand_together() -> None:
    rights = [
        *(Right(kind, verb, "") for kind in (TOY, BOX) for verb in ("list", "get")),
        Right(TOY, "patch", "", "status"),
        Right(known.POD, "get", ""),
        Right(known.SECRET, "get", ""),
    ]
    assert rules(rights) == [
        {
            "apiGroups": ["toys.example"],
            "resources": ["toys", "boxes"],
            "verbs": ["get", "list"],
        },
        {"apiGroups": ["toys.example"], "resources": ["toys/status"], "verbs": ["patch"]},
        {"apiGroups": [""], "resources": ["pods", "secrets"], "verbs": ["get"]},
    ]


def test_what_several_need_is_granted_once_and_every_reason_given() -> None:
    rights = [Right(TOY, "get", why) for why in ("to play", "to count", "to play")]
    assert rules(rights) == rules(rights[:1])
    assert reasons(rights) == {Permission("toys.example", "toys", "get"): ["to play", "to count"]}
    assert "| get | to play; to count |\n" in rbac.page(rights, [])


def test_what_is_created_has_no_name_yet() -> None:
    rights = [Right(TOY, verb, "") for verb in ("create", "get", "update")]
    assert rules(rights, "bear") == [
        {
            "apiGroups": ["toys.example"],
            "resources": ["toys"],
            "resourceNames": ["bear"],
            "verbs": ["get", "update"],
        },
        {"apiGroups": ["toys.example"], "resources": ["toys"], "verbs": ["create"]},
    ]


def test_each_right_is_granted_where_it_is_needed() -> None:
    toy, shelf, own = (
        Right(TOY, "get", ""),
        Right(SHELF, "get", ""),
        Right(TOY, "update", "", where=Where.OWN),
    )
    *events, there = serving(SHELF)
    del events
    asked = Right(TOKEN_REVIEW, "create", "", where=Where.METRICS)
    rights = [toy, shelf, own, there, asked]
    assert tuple(scoped(rights)) == ([toy], [shelf], [own], [there], [asked])
    for name, one in (
        ("rules", toy),
        ("clusterRules", shelf),
        ("leaseRules", own),
        ("defaultRules", there),
        ("metricsRules", asked),
    ):
        made = rules([one], "name" if one is own else "")
        assert template(name, rights, []) == made


# --- for users, and the page ----------------------------------------------------------------------


def test_users_get_what_is_in_namespaces() -> None:
    boxes = replace(DEFINITION, kind=replace(BOX, group=DEFINITIONS[0].kind.group))
    definitions = [*DEFINITIONS, DEFINITION, boxes]
    (seen,), (changed,), (bound,) = (
        template(name, [], definitions) for name in ("viewRules", "editRules", "bindingRules")
    )
    own = ["daapdatabases", "daapbackups", "daaprestores", "daapdrills", "daapschemas"]
    assert seen["resources"] == changed["resources"] == [*own, "boxes"]
    assert bound["resources"] == ["daapdatabases"]
    assert bound["verbs"] == seen["verbs"] == ["get", "list", "watch"]
    named = ", ".join(f"`{each}`" for each in [*own, "boxes"])
    assert f"All on {named};" in rbac.page([], definitions)


def test_the_page_says_of_each_right_what_it_is_for() -> None:
    page = rbac.page(RIGHTS, DEFINITIONS)
    rows = [line for line in page.splitlines() if line.startswith("| ") and "`" in line]
    for permission, why in reasons(RIGHTS).items():
        assert all(why), permission
        group, resource, verb = permission
        row = f"| {group or 'core'} | `{resource}` | {verb} | {'; '.join(why)} |"
        assert rows.count(row) == 1


def test_a_kind_in_no_namespace_has_its_events_on_the_page() -> None:
    assert "## The namespace `default`" not in rbac.page(RIGHTS, [])
    page = rbac.page([*RIGHTS, *serving(SHELF)], [])
    row = "| events.k8s.io | `events` | create | Events on Shelf objects |\n"
    assert row in page.partition("## The namespace `default`")[2]
