"""What a kind of ours declares of its API: its CustomResourceDefinition is made from it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from daap_operator import names
from daap_operator.api.base import Model
from daap_operator.api.kind import Kind


class Column(NamedTuple):
    """A column of `kubectl get`."""

    name: str
    type: str
    """As in the CRD: string, integer, number, boolean or date."""
    path: str
    """JSONPath within an object."""
    wide: bool = False
    """Whether it is shown with `--output=wide` alone."""


@dataclass(frozen=True)
class Definition:
    """A kind of ours: its models and how it is listed."""

    kind: Kind
    model: type[Model]
    """Has `metadata`, `spec` and `status`; its docstring explains the kind."""
    conditions: str
    """What the types of condition mean for this kind."""
    columns: tuple[Column, ...]
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = (names.CATEGORY,)
    selectable: tuple[str, ...] = ()
    """JSONPaths of the fields that a field selector may name."""
    rules: Mapping[str, Any] = field(default_factory=dict)
    """What holds for an object as a whole, as `rules.validations` gives it."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Labels of the CRD itself."""

    @property
    def name(self) -> str:
        """The name of the CRD."""
        return f"{self.kind.plural}.{self.kind.group}"

    @property
    def file(self) -> str:
        """The name of the file with the CRD in `crds/`."""
        return f"{self.kind.group}_{self.kind.plural}.yaml"

    @property
    def singular(self) -> str:
        """As on kubectl's command line: `daapdatabase`."""
        return self.kind.name.lower()

    @property
    def scope(self) -> str:
        """As in the CRD."""
        return "Namespaced" if self.kind.namespaced else "Cluster"
