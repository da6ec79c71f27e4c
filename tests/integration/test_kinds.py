"""Kinds as they are declared, held against the API server's own discovery."""

from typing import Any

import pytest

from daap_operator.kube import Kind
from daap_operator.rights import RIGHTS
from tests.support.api import Api
from tests.support.kinds import ALL

Object = dict[str, Any]


async def served(api: Api, kind: Kind) -> dict[str, Object]:
    """The resources of a kind's group and version, by plural, with subresources."""
    path = f"{'/apis' if kind.group else '/api'}/{kind.api_version}"
    found = await api.call("GET", path)
    return {resource["name"]: resource for resource in found["resources"]}


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.name)
async def test_the_api_server_has_each_kind_as_it_is_declared(api: Api, kind: Kind) -> None:
    found = (await served(api, kind))[kind.plural]
    assert (found["kind"], found["namespaced"]) == (kind.name, kind.namespaced)


async def test_each_right_is_on_a_verb_that_there_is(api: Api) -> None:
    for kind in {right.kind for right in RIGHTS}:
        found = await served(api, kind)
        for right in (right for right in RIGHTS if right.kind == kind):
            resource = "/".join(p for p in (kind.plural, right.subresource) if p)
            assert right.verb in found[resource]["verbs"], right
