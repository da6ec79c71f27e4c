"""Which findings a file has, in a plan, and which of them stop it. Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from daap_operator import lines
from daap_operator.schema import rules
from daap_operator.schema.candidates import Candidate
from daap_operator.schema.certain import Certain
from daap_operator.schema.examining import Examined
from daap_operator.schema.model import Finding, Level, SqlFile
from daap_operator.schema.relations import Known
from daap_operator.schema.rules import Rule
from daap_operator.schema.squawk_rules import RULES

MOST = 100
"""Findings of a file that are told: what matters most comes first."""

Advisor = Callable[[SqlFile], Sequence[Finding]]
"""What another linter finds in a file."""


class Strictness(StrEnum):
    """From which level on a finding stops a file."""

    ERROR = "error"
    WARNING = "warning"
    NEVER = "never"


class RulesError(Exception):
    """What is to be left out cannot be; the message names the rule."""


@dataclass(frozen=True)
class Rules:
    """What stops a file, and which rules are left out."""

    level: Strictness = Strictness.ERROR
    ignore: frozenset[str] = frozenset()

    def stops(self, finding: Finding) -> bool:
        """Whether a file with it is not applied."""
        if self.level is Strictness.NEVER:
            return False
        return finding.level is Level.ERROR or self.level is Strictness.WARNING


def chosen(level: str, ignore: Iterable[str]) -> Rules:
    """The rules from what people write. Raises RulesError for a rule that cannot be left out."""
    names = frozenset(ignore)
    for name in sorted(names):
        rule = RULES.get(name)
        if rule is None:
            known = ", ".join(each for each, rule in RULES.items() if _optional(rule))
            raise RulesError(f"'{lines.quoted(name)}' is no rule that can be left out: {known}")
        if rule in rules.FAULTS:
            raise RulesError(f"'{name}' cannot be left out: nothing of such a file can be run")
        if rule.destructive:
            raise RulesError(
                f"'{name}' cannot be left out: a reviewer has to know what deletes data; whether "
                "it may is for --on-destructive to say"
            )
    return Rules(Strictness(level), names)


def _optional(rule: Rule) -> bool:
    return rule not in rules.FAULTS and not rule.destructive


def fault(line: int, name: str, message: str) -> Finding:
    """A file that cannot be parsed or run, as a finding."""
    return Finding(name, Level.ERROR, line, lines.quoted(message))


def of_rule(rule: Rule, line: int, what: str = "") -> Finding:
    """A finding of a rule; `what` broke it."""
    message = f"{what}: {rule.meaning}" if what else rule.meaning
    return Finding(
        rule.name, rule.level, line, lines.quoted(message), rule.remedy, rule.destructive
    )


@dataclass(frozen=True)
class New:
    """Relations that are new in the plan, for what is about their clients, and for their rows."""

    known: Known = field(default_factory=Known)
    certain: Certain = field(default_factory=Certain)


def findings(
    examined: Sequence[Examined], new: New, given: Rules, advice: Sequence[Finding] = ()
) -> tuple[Finding, ...]:
    """What is found in a file, by line, with what another linter found.

    `new` are the relations that are new in the plan, and goes on: what the file creates is new for
    the files after it.
    """
    found = [*_own(examined, new.known, new.certain), *advice]
    if not examined:
        found.append(of_rule(rules.EMPTY, 1))
    left = [each for each in found if each.rule not in given.ignore]
    return tuple(bounded(left))


def _own(examined: Sequence[Examined], known: Known, certain: Certain) -> Iterator[Finding]:
    certain.begin_file(whole=all(each.statement.transactional for each in examined))
    for each in examined:
        for candidate in each.candidates:
            if _matters(candidate, known, certain):
                yield of_rule(candidate.rule, each.statement.line, candidate.what)
        known.remove(each.dropped)
        known.add(each.created)
        certain.after(each.effect)


def _matters(candidate: Candidate, known: Known, certain: Certain) -> bool:
    """Whether it is about a relation that is not new; of what deletes data, not for certain."""
    new = certain if candidate.rule.destructive else known
    return candidate.relation is None or candidate.relation not in new


def bounded(found: Iterable[Finding]) -> list[Finding]:
    """No more than MOST, of which none is lost that stops a file or deletes data before others."""
    once = sorted(set(found), key=_weight)
    kept = sorted(once[:MOST], key=lambda each: (each.line, _weight(each)))
    if len(once) > MOST:
        kept.append(of_rule(rules.MORE, kept[-1].line, f"{len(once) - MOST} more"))
    return kept


def _weight(finding: Finding) -> tuple[bool, bool, int, str, str]:
    return (
        finding.level is not Level.ERROR,
        not finding.destructive,
        finding.line,
        finding.rule,
        finding.message,
    )
