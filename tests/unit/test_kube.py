"""The requests to the API server, as far as an answer alone does not say what is."""

from typing import Any

import pytest

from daap_operator.kube import ApiError, Kube, Resource
from tests.unit.fakes import refused

Object = dict[str, Any]


class Answering(Kube):
    """Answers DELETE with a conflict, and GET with what is there."""

    def __init__(self, there: Object | None) -> None:
        # Without super().__init__(): there is no client
        self.there = there

    async def _request(self, method: str, *_: Any, **__: Any) -> Object:
        if method == "DELETE":
            raise refused(409, "Operation cannot be fulfilled", "Conflict")
        if self.there is None:
            raise refused(404)
        return self.there


async def test_a_conflict_does_not_make_an_object_gone() -> None:
    kube = Answering({"metadata": {"uid": "ours"}})
    with pytest.raises(ApiError, match="409"):
        await kube.delete(Resource.SECRETS, "shop", "old", uid="ours")


@pytest.mark.parametrize("there", [None, {"metadata": {"uid": "another"}}])
async def test_a_conflict_over_the_uid_says_that_ours_is_gone(there: Object | None) -> None:
    assert await Answering(there).delete(Resource.SECRETS, "shop", "old", uid="ours") is None
