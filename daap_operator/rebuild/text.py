"""What people and `kubectl apply` are given: the manifests, and what goes with them. Pure.

Rows are others' words: in comments they are one line each, and in manifests YAML quotes them.
"""

from collections.abc import Iterable, Iterator

import yaml

from daap_operator.lines import quoted, visible
from daap_operator.rebuild.plan import Gap, Plan, Rebuilt

_INTRODUCTION = """\
Written by `daap-operator rebuild` from the inventory. Read it before you apply it: whoever can
write to the inventory can have changed it. docs/disaster.md says what comes before and after."""

_NEEDED = """\
What has to be there first, and is not in this file:"""

_NEVER = """\
What the inventory does not know, and nobody gets back by applying this file:
- passwords and certificates: they are made anew, and the connection Secrets with them
- labels and annotations of the DaapDatabases
- DaapBackups: what they made is in the archives
- databases that were deleted with deletionPolicy: Retain and ran on in the lost cluster"""


class _Dumper(yaml.SafeDumper):
    """No anchors, because people read this; and quotes where readers of YAML differ.

    For Go's `1e3` and `0o17` are numbers, and `y` may be true, all of which are texts to PyYAML.
    """

    def ignore_aliases(self, data: object) -> bool:
        del data
        return True

    def text(self, data: str) -> yaml.ScalarNode:
        """A text, in quotes unless it can be nothing else."""
        plain = data[:1].isalpha() and data.lower() not in _WORDS
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=None if plain else "'")


_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"})

_Dumper.add_representer(str, _Dumper.text)


def render(plan: Plan) -> str:
    """The file: what it needs, the manifests in their order, what is missing."""
    parts = [_commented(_introduction(plan))]
    parts += [_document(each) for each in plan.rebuilt]
    if plan.gaps:
        parts.append(_commented(["", *_listed(plan.gaps)]))
    return "".join(parts)


def report(plan: Plan) -> list[str]:
    """What is said to whoever called the command, a line each."""
    restored = sum("source" in each.manifest["spec"] for each in plan.rebuilt)
    empty = len(plan.rebuilt) - restored
    written = f"Databases written: {len(plan.rebuilt)}"
    return [
        f"{written} ({restored} restored from their archives, {empty} empty)",
        *(_listed(plan.gaps) if plan.gaps else ()),
    ]


def _introduction(plan: Plan) -> Iterator[str]:
    yield from _INTRODUCTION.splitlines()
    yield ""
    yield from _NEEDED.splitlines()
    yield "- CloudNativePG, its Barman Cloud plugin and the operator, with this inventory"
    for namespace in sorted({each.namespace for each in plan.rebuilt}):
        needed = sorted({each.store for each in plan.rebuilt if each.namespace == namespace} - {""})
        stores = "".join(f", in it ObjectStore {quoted(name)} and its Secret" for name in needed)
        yield f"- namespace {namespace}{stores}"
    yield "- of each namespace what else was in it: its labels, RBAC, quotas, network policies"
    yield ""
    yield from _NEVER.splitlines()


def _document(made: Rebuilt) -> str:
    text = _dumped(made, legible=True)
    if any(visible(line) != line for line in text.split("\n")):
        text = _dumped(made, legible=False)  # whoever reads this is to see all that there is
    return f"---\n# {quoted(made.note)}\n{text}"


def _dumped(made: Rebuilt, *, legible: bool) -> str:
    return yaml.dump(
        made.manifest, Dumper=_Dumper, sort_keys=False, width=1000, allow_unicode=legible
    )


def _listed(gaps: tuple[Gap, ...]) -> Iterator[str]:
    yield f"Databases that are not as they were: {len(gaps)}"
    for gap in gaps:
        yield f"- {gap.database} {gap.told}"


def _commented(lines: Iterable[str]) -> str:
    return "".join(f"# {visible(line)}".rstrip() + "\n" for line in lines)
