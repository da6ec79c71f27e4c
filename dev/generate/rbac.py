"""The chart's RBAC rules and their reference page, from the rights that the kinds declare. Pure."""

import json
from collections.abc import Iterable, Sequence

from daap_operator.api.definition import Definition
from daap_operator.engine.kinds import Right
from daap_operator.engine.rights import Rule, reasons, rules, scoped

VIEW = ("get", "list", "watch")
EDIT = ("create", "update", "patch", "delete", "deletecollection")
"""What users get on a kind that is in namespaces, through the cluster's own roles."""

BINDING_LABEL = "servicebinding.io/provisioned-service"
"""On the CRD of a kind whose objects have a Secret for service binding."""

NAME = '{{ include "daap-operator.fullname" . }}'

_TEMPLATES = """\
{{/* Generated from daap_operator/rights.py by `make crds`. Do not edit. */}}
"""

_PAGE = """# What the operator may do

Generated from `daap_operator/rights.py` by `make crds`, as are [the chart's
rules](../../charts/daap-operator/templates/_rules.tpl).
A [test](../../tests/integration/test_rbac.py) takes away one after the other and shows what breaks,
and all [integration tests](../../tests/fix_cluster.py) run with these rights and no other.

No wildcard, nothing of nodes or namespaces, no write to pods, no `escalate`, `bind` or
`impersonate`, no list or watch of Secrets, and no admission webhook. API discovery, which every
authenticated user may read, is all else it asks for.

That is no boundary by itself: a right says which kind, not what the object says, and whoever may
create Secrets may create one that holds a ServiceAccount's token. What the operator may write is
bounded by [admission policies for its own account](../admission.md#the-operators-own-account), and
nothing bounds what it reads; [what a stolen token can do](../../SECURITY.md#a-stolen-operator).
"""

_TABLE = """
| group | resource | verb | why |
|---|---|---|---|
"""

_USERS = """
## For users

All on {resources}; `rbac.aggregateClusterRoles=false` leaves them out. None of them gives the
right to read a database's Secret.

| ClusterRole | aggregated to | verbs |
|---|---|---|
| `daap-operator-view` | view, edit, admin | {view} |
| `daap-operator-edit` | edit, admin | {edit} |
| `daap-operator-servicebinding` | what implements service binding | {view} |
"""

_OTHERS = """
## Others

The migration Job has no token for the API server. `helm test` runs under a ServiceAccount of its
own, which may create DaapDatabases in one namespace, and get and delete the one it makes; it goes
when the test has succeeded.

Who reads `/metrics` needs the ClusterRole `daap-operator-metrics-reader`, which grants that and
nothing else.
"""


def templates(rights: Sequence[Right], definitions: Sequence[Definition]) -> str:
    """The chart's templates with the rules of each role."""
    scopes = scoped(rights)
    users = _of_users(definitions)
    bound = [each for each in users if BINDING_LABEL in each.labels]
    parts = [
        _template(
            "rules",
            "What the operator may do where objects are; docs/reference/rbac.md says why.",
            rules(scopes.namespaces),
        ),
        _template("clusterRules", "What belongs to no namespace.", rules(scopes.cluster)),
        _template(
            "leaseRules",
            "Which replica leads, in the release's namespace. What is to be created has no name "
            "yet.",
            rules(scopes.own, NAME),
        ),
        _template("defaultRules", "Events on what is in no namespace.", rules(scopes.default)),
        _template("metricsRules", "To ask who may read the metrics.", rules(scopes.metrics)),
        _template("viewRules", "For users who may look.", _on(users, VIEW)),
        _template("editRules", "For users who may change.", _on(users, EDIT)),
        _template("bindingRules", "For what implements service binding.", _on(bound, VIEW)),
    ]
    return _TEMPLATES + "".join(parts)


def page(rights: Sequence[Right], definitions: Sequence[Definition]) -> str:
    """The reference page."""
    scopes = scoped(rights)
    everywhere = "A ClusterRole by default, or a Role in each of `watchNamespaces`."
    none = "A ClusterRole also with `watchNamespaces`: these kinds are in no namespace."
    own = "A Role in the release's namespace."
    default = "With `watchNamespaces` a Role there: it has the Events on what is in no namespace."
    metrics = "A ClusterRole, unless `metrics.authentication` is `none`."
    resources = [f"`{each.kind.plural}`" for each in _of_users(definitions)]
    return "".join(
        [
            _PAGE,
            f"\n## Where objects are\n\n{everywhere}\n{_table(scopes.namespaces)}",
            f"\n## Cluster-scoped\n\n{none}\n{_table(scopes.cluster)}",
            f"\n## Leadership\n\n{own}\n{_table(scopes.own)}",
            *(
                [f"\n## The namespace `default`\n\n{default}\n{_table(scopes.default)}"]
                if scopes.default
                else []
            ),
            f"\n## Metrics\n\n{metrics}\n{_table(scopes.metrics)}",
            _USERS.format(
                resources=", ".join(resources), view=", ".join(VIEW), edit=", ".join(EDIT)
            ),
            _OTHERS,
        ]
    )


def _of_users(definitions: Iterable[Definition]) -> list[Definition]:
    """The kinds that the owner of a namespace has to do with."""
    return [definition for definition in definitions if definition.kind.namespaced]


def _on(definitions: Iterable[Definition], verbs: Iterable[str]) -> list[Rule]:
    """The same verbs on some kinds."""
    resources: dict[str, list[str]] = {}
    for definition in definitions:
        kind = definition.kind
        resources.setdefault(kind.group, []).append(kind.plural)
    return [
        {"apiGroups": [group], "resources": found, "verbs": list(verbs)}
        for group, found in resources.items()
    ]


def _template(name: str, what: str, made: Iterable[Rule]) -> str:
    body = "".join(_rule(rule) for rule in made)
    return (
        f'\n{{{{/* {what} */}}}}\n{{{{- define "daap-operator.{name}" -}}}}\n{body}{{{{- end }}}}\n'
    )


def _rule(rule: Rule) -> str:
    lines = [f"{key}: [{', '.join(_word(word) for word in words)}]" for key, words in rule.items()]
    return "- " + "\n  ".join(lines) + "\n"


def _word(word: str) -> str:
    return word or json.dumps(word)


def _table(rights: Iterable[Right]) -> str:
    rows = [
        f"| {group or 'core'} | `{resource}` | {verb} | {'; '.join(why)} |\n"
        for (group, resource, verb), why in reasons(rights).items()
    ]
    return _TABLE + "".join(rows)
