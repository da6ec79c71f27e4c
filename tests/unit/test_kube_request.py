"""Requests to the API server as they are counted."""

import pytest
from kubernetes.aio.client import Configuration

from daap_operator.kinds import known
from daap_operator.kube import Kind, Kube, Request, Unreachable
from daap_operator.kube.request import request
from tests.support.kinds import DECLARED


@pytest.mark.parametrize("kind", DECLARED, ids=lambda kind: kind.plural)
def test_what_is_asked_for_is_told_without_names(kind: Kind) -> None:
    plural = kind.plural
    asked = [
        request("GET", kind.path(), 200, 0.5),
        request("GET", kind.path("shop"), 200, 0.5),
        request("GET", kind.path("shop", "orders"), 200, 0.5),
        request("PATCH", kind.path("shop", "orders", "status"), 200, 0.5),
    ]
    assert asked == [
        Request("list", plural, 200, 0.5),
        Request("list", plural, 200, 0.5),
        Request("get", plural, 200, 0.5),
        Request("patch", f"{plural}/status", 200, 0.5),
    ]


@pytest.mark.parametrize(
    ("method", "verb"), [("POST", "create"), ("PUT", "update"), ("DELETE", "delete")]
)
def test_methods_are_told_in_the_words_of_rbac(method: str, verb: str) -> None:
    assert request(method, known.SECRET.path("shop"), 201, 0.0).verb == verb


def test_names_like_parts_of_a_path_do_not_confuse() -> None:
    path = known.CLUSTER.path("namespaces", "clusters")
    assert request("GET", path, 200, 0.0)[:2] == ("get", "clusters")


async def test_a_request_without_an_answer_is_told_too() -> None:
    asked: list[Request] = []
    async with Kube(Configuration(host="http://127.0.0.1:1"), asked.append) as kube:
        with pytest.raises(Unreachable):
            await kube.fenced(lambda: None).get(known.SECRET, "shop", "orders")
    assert [(made.verb, made.resource, made.status) for made in asked] == [("get", "secrets", 0)]
