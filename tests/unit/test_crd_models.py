"""A model that a CRD cannot be made of is refused, by kind and field."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ConfigDict, create_model

from daap_operator import crd
from daap_operator.api.base import Model
from daap_operator.api.meta import Metadata, Status
from tests.unit import toy_kind
from tests.unit.toy_kind import DEFINITION as TOY


class NoText(Model):
    metadata: Metadata
    spec: toy_kind.ToySpec
    status: Status


class Ruled(NoText):
    """A model with a rule that belongs into the definition."""

    model_config = ConfigDict(json_schema_extra={"x-kubernetes-validations": []})


def toy_with(**fields: Any) -> type[Model]:
    """The model of the toy with one field of another type; of no type: without that field."""
    kept = {"metadata": Metadata, "spec": toy_kind.ToySpec, "status": Status} | fields
    there: dict[str, Any] = {name: (found, ...) for name, found in kept.items() if found}
    return create_model("Toy", __base__=Model, __doc__="A toy.", **there)


UNFIT: dict[str, tuple[type[Model], str]] = {
    "no metadata": (toy_with(metadata=None), r"Toy\.metadata is None: make it a Metadata"),
    "no spec": (toy_with(spec=None), r"Toy\.spec is None: make it a Model"),
    "a spec that is a text": (toy_with(spec=str), r"Toy\.spec is str: make it a Model"),
    "a status without conditions": (toy_with(status=Model), r"Toy\.status is Model: make it a St"),
    "a status that may be null": (toy_with(status=Status | None), r"Toy\.status is .*: make it a"),
    "a third part": (toy_with(scale=int), r"Toy\.scale is neither spec nor status: move it there"),
    "no docstring": (NoText, r"Toy has no docstring: say what"),
    "rules of the model": (
        Ruled,
        r"Toy has a json_schema_extra: put its rules into",
    ),
}


@pytest.mark.parametrize(("model", "message"), UNFIT.values(), ids=UNFIT)
def test_a_model_that_would_lose_something_is_refused(model: type[Model], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        crd.manifest(replace(TOY, model=model))


def test_a_field_that_cannot_be_said_names_its_kind() -> None:
    class Odd(Model):
        """A spec that no structural schema can say."""

        either: int | str

    with pytest.raises(ValueError, match=r"^Toy\.spec\.either: 'anyOf' .+: .+"):
        crd.manifest(replace(TOY, model=toy_with(spec=Odd)))
