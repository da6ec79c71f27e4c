"""A model that a CRD cannot be made of is refused, by kind and field."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ConfigDict, create_model

from daap_operator import crd
from daap_operator.api.base import Model
from daap_operator.api.meta import Metadata, Status
from tests.toys.team import DEFINITION as TEAM
from tests.toys.team import TeamSpec


class NoText(Model):
    metadata: Metadata
    spec: TeamSpec
    status: Status


class Ruled(NoText):
    """A model with a rule that belongs into the definition."""

    model_config = ConfigDict(json_schema_extra={"x-kubernetes-validations": []})


def team_with(**fields: Any) -> type[Model]:
    """The model of the team with one field of another type; of no type: without that field."""
    kept = {"metadata": Metadata, "spec": TeamSpec, "status": Status} | fields
    there: dict[str, Any] = {name: (found, ...) for name, found in kept.items() if found}
    return create_model("DaapTeam", __base__=Model, __doc__="A team.", **there)


UNFIT: dict[str, tuple[type[Model], str]] = {
    "no metadata": (team_with(metadata=None), r"DaapTeam\.metadata is None: make it a Metadata"),
    "no spec": (team_with(spec=None), r"DaapTeam\.spec is None: make it a Model"),
    "a spec that is a text": (team_with(spec=str), r"DaapTeam\.spec is str: make it a Model"),
    "a status without conditions": (
        team_with(status=Model),
        r"DaapTeam\.status is Model: make i",
    ),
    "a status that may be null": (
        team_with(status=Status | None),
        r"DaapTeam\.status is .*: make it a",
    ),
    "a third part": (
        team_with(scale=int),
        r"DaapTeam\.scale is neither spec nor status: move",
    ),
    "no docstring": (NoText, r"DaapTeam has no docstring: say what"),
    "rules of the model": (
        Ruled,
        r"DaapTeam has a json_schema_extra: put its rules into",
    ),
}


@pytest.mark.parametrize(("model", "message"), UNFIT.values(), ids=UNFIT)
def test_a_model_that_would_lose_something_is_refused(model: type[Model], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        crd.manifest(replace(TEAM, model=model))


def test_a_field_that_cannot_be_said_names_its_kind() -> None:
    class Odd(Model):
        """A spec that no structural schema can say."""

        either: int | str

    with pytest.raises(ValueError, match=r"^DaapTeam\.spec\.either: 'anyOf' .+: .+"):
        crd.manifest(replace(TEAM, model=team_with(spec=Odd)))
