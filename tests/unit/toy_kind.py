"""A kind that nobody has: cluster-scoped, without short names, labels and selectable fields."""

from typing import Annotated

from pydantic import Field

from daap_operator.api.base import Model, Quantity
from daap_operator.api.definition import Column, Definition
from daap_operator.api.meta import Metadata, Status
from daap_operator.api.rules import rule, validations

Colour = Annotated[str, Field(max_length=20, description="A colour by its name.")]


class ToySpec(Model):
    """What is asked for."""

    size: Quantity = "1Gi"
    """How large it is."""

    colours: Annotated[dict[str, Colour], Field(max_length=8, default_factory=dict)]
    """The colour of each part."""


class ToyStatus(Status):
    """What was last seen."""

    holders: Annotated[int | None, Field(ge=0)] = None
    """How many use it."""


class Toy(Model):
    """Something to play with, in no namespace."""

    metadata: Metadata
    spec: ToySpec
    """What is asked for."""
    status: ToyStatus
    """What was last seen."""


DEFINITION = Definition(
    kind="Toy",
    plural="toys",
    singular="toy",
    namespaced=False,
    model=Toy,
    rules=validations(
        rule("self.metadata.name != 'none'", "metadata.name must not be 'none': choose another")
    ),
    conditions="`Ready`: it can be played with.",
    columns=(
        Column("Ready", "string", '.status.conditions[?(@.type=="Ready")].status'),
        Column("Size", "string", ".spec.size", wide=True),
        Column("Age", "date", ".metadata.creationTimestamp"),
    ),
)

MANIFEST = {
    "apiVersion": "daap.io/v1alpha1",
    "kind": "Toy",
    "metadata": {
        "name": "bear",
        "uid": "5e1ec7ab-1e00-4000-8000-000000000009",
        "resourceVersion": "1",
        "creationTimestamp": "2026-03-01T11:00:00Z",
    },
    "spec": {"size": 2, "colours": {"ear": "brown"}},
    "status": {},
}
