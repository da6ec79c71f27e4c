"""What kopf gets to see of the API server's answers."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from yarl import URL

from daap_operator import raw
from daap_operator.engine import kopf_session
from daap_operator.engine.kinds import Source
from daap_operator.engine.kopf_session import KEPT, METADATA, TYPE, event, listed, reducing
from daap_operator.engine.store import Store
from daap_operator.kinds import known
from daap_operator.kinds.database.watched import WATCHES
from daap_operator.kube import Kind
from daap_operator.kube.sizes import OBJECT_BYTES, TOO_LARGE
from tests.unit import builders
from tests.unit.stage import SOURCES

Object = dict[str, Any]

CLUSTERS = SOURCES[known.CLUSTER]
STORE = Store(WATCHES)
LARGE = Source(Kind("", "v1", "ConfigMap", "configmaps"), "a=b", metadata_only=True)
"""A stream of metadata only, beside one of whole objects of the same kind."""
BESIDE = Source(LARGE.kind, "")


class Content:
    """An answer's content that arrives in pieces."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces

    async def iter_any(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            await asyncio.sleep(0)
            yield piece


class Answer:
    """An answer, as far as the session looks at it."""

    def __init__(self, *pieces: bytes, status: int = 200) -> None:
        self.status = status
        self.content: Any = Content(*pieces)


class Request:
    """A request, as far as the session looks at it."""

    def __init__(self, url: str) -> None:
        self.url = URL(url)
        self.headers: dict[str, str] = {}


async def through(url: str, answer: Answer) -> tuple[Request, Any]:
    """What is asked of the API server, and what kopf gets."""
    request = Request(f"https://api{url}")

    async def handler(asked: Any) -> Any:
        assert asked is request
        return answer

    sources = [*SOURCES.values(), BESIDE, LARGE]
    middleware = reducing(sources, STORE.reduced, "https://api")
    asked: Any = request
    return request, await middleware(asked, handler)


LISTED = {
    "of a built-in kind": '{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"7",'
    '"continue":"x"},"items":[{"a":1},{"b":[]}]}',
    "of a CRD, with the objects first": '{"apiVersion":"v1","items":[{"a":{"b":1}}],'
    '"kind":"PodList","metadata":{"continue":"x","resourceVersion":"7"}}\n',
    "with spaces": '{ "kind" : "PodList", "apiVersion": "v1",\n "items" : [ {"a": 1} , {} ] ,'
    ' "metadata" : {"resourceVersion": "7"} }',
    "as a table": '{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"7",'
    '"continue":"x"},"columnDefinitions":[],"rows":[{"cells":["a"],"object":null}]}',
    "that is empty": '{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"7"},'
    '"items":null}',
}


@pytest.mark.parametrize("text", LISTED.values(), ids=LISTED)
def test_of_a_listing_kopf_gets_where_its_watch_is_to_begin(text: str) -> None:
    """Not even a page to follow: that would be the second listing of everything."""
    assert json.loads(listed(text.encode())) == {
        "kind": "PodList",
        "apiVersion": "v1",
        "metadata": {"resourceVersion": "7"},
        "items": [],
    }


@pytest.mark.parametrize("text", ["", "<html>", '{"kind": "Status"}', '{"items":[{}', "[]"])
def test_what_is_no_listing_stays_as_it_is(text: str) -> None:
    assert listed(text.encode()) == text.encode()


async def test_a_listing_asks_for_no_objects() -> None:
    selector = CLUSTERS.selector.replace("=", "%3D")
    url = f"{known.CLUSTER.path()}?limit=500&labelSelector={selector}"
    asked, answer = await through(url, Answer(LISTED["as a table"].encode()))
    assert dict(asked.url.query) == {
        "limit": "1",
        "labelSelector": CLUSTERS.selector,
        "includeObject": "None",
    }
    assert asked.headers["Accept"].startswith("application/json;as=Table")
    assert json.loads(await answer.content.read())["items"] == []


async def test_a_listing_without_end_is_not_read_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kopf_session, "ANSWER_BYTES", 1000)
    _, answer = await through(known.DATABASE.path(), Answer(*[b"x" * 400] * 9))
    with pytest.raises(aiohttp.ClientPayloadError):
        await answer.content.read()


@pytest.mark.parametrize("path", ["/version", "/apis/apps/v1/daemonsets"])
async def test_what_is_not_watched_is_asked_for_as_it_was(path: str) -> None:
    answer = Answer(b"{}")
    content = answer.content
    asked, got = await through(path, answer)
    assert (str(asked.url), asked.headers) == (f"https://api{path}", {})
    assert got.content is content


@pytest.mark.parametrize("source", [*SOURCES.values(), BESIDE, LARGE])
@pytest.mark.parametrize("namespace", ["", "shop"])
async def test_events_of_metadata_are_asked_for_where_a_stream_is_of_that_and_nowhere_else(
    source: Source, namespace: str
) -> None:
    selector = source.selector.replace("=", "%3D")
    url = f"{source.kind.path(namespace)}?watch=true&labelSelector={selector}"
    asked, _ = await through(url, Answer())
    assert asked.headers == ({"Accept": METADATA} if source is LARGE else {})
    assert asked.url == URL(f"https://api{url}")


async def test_a_listing_for_a_stream_of_metadata_has_no_objects_either() -> None:
    url = f"{LARGE.kind.path()}?limit=500&labelSelector=a%3Db"
    asked, _ = await through(url, Answer(LISTED["as a table"].encode()))
    assert asked.headers["Accept"].startswith("application/json;as=Table")


async def test_a_refusal_is_handed_on() -> None:
    answer = Answer(b"{}", status=403)
    content = answer.content
    assert (await through(known.DATABASE.path(), answer))[1].content is content


# --- events ---------------------------------------------------------------------------------------


def line(obj: Object, kind: str = "MODIFIED") -> bytes:
    return json.dumps({"type": kind, "object": obj}).encode()


def seen(answer: bytes) -> Object:
    assert answer.endswith(b"\n")
    found: Object = json.loads(answer)
    return found


@pytest.mark.parametrize("kind", ["ADDED", "MODIFIED", "DELETED"])
def test_of_an_event_kopf_gets_who_it_is_about_and_what_is_kept(kind: str) -> None:
    cluster = builders.cluster(finalizers=["kopf.dev/any"])
    got = seen(event(line(cluster, kind), CLUSTERS, STORE.reduced))
    assert got["type"] == "DELETED", "kopf remembers whatever is not"
    assert got["object"].pop(TYPE) == kind
    assert got["object"].pop(KEPT) == STORE.kept(known.CLUSTER, cluster)
    told = {field: cluster["metadata"][field] for field in ("name", "namespace", "uid")}
    told["resourceVersion"] = cluster["metadata"]["resourceVersion"]
    assert got["object"]["metadata"] == told
    assert set(got["object"]) <= {"metadata", "kind", "apiVersion"}


def test_what_is_no_event_of_an_object_is_handed_on() -> None:
    for said in (
        b'{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"7"}}}',
        b'{"type":"ERROR","object":{"code":410}}',
        b"<html>",
        b"[]",
    ):
        assert event(said, CLUSTERS, STORE.reduced) == said + b"\n"


def test_an_event_that_cannot_be_reduced_only_tells_where_the_watch_is(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(_: Source, __: raw.Object) -> raw.Object:
        raise KeyError("spec")

    got = seen(event(line(builders.cluster(resourceVersion="9")), CLUSTERS, broken))
    assert got["type"] == "BOOKMARK"
    assert got["object"]["metadata"]["resourceVersion"] == "9"
    assert "Event dropped" in caplog.text


def test_a_large_object_is_marked_before_it_is_reduced() -> None:
    large = builders.cluster(annotations={"a": "x" * OBJECT_BYTES})

    def mark(_: Source, obj: raw.Object) -> raw.Object:
        return {TOO_LARGE: obj[TOO_LARGE]}

    got = seen(event(line(large), CLUSTERS, mark))
    assert got["object"][KEPT][TOO_LARGE]["field"] == "metadata.annotations"


def test_an_event_is_read_however_deep_somebody_nested_fields_in_its_object() -> None:
    deep = b'{"f:a":' * 9000 + b"{}" + b"}" * 9000
    said = line(builders.cluster(annotations={"deep": "here"})).replace(b'"here"', deep)
    got = seen(event(said, CLUSTERS, STORE.reduced))
    assert got["object"][TYPE] == "MODIFIED"
    assert got["object"][KEPT]["metadata"]["name"]


async def events(*pieces: bytes) -> list[Object]:
    answer = (await through(f"{known.DATABASE.path()}?watch=true", Answer(*pieces)))[1]
    return [seen(got) async for got in answer.content.iter_chunked(1024)]


async def test_events_are_read_however_they_arrive() -> None:
    whole = b"".join(line(builders.database(name=name)) + b"\n" for name in "abc")
    cut = [whole[at : at + 7] for at in range(0, len(whole), 7)]
    for pieces in ([whole], cut, [whole[:-1]]):
        assert [got["object"]["metadata"]["name"] for got in await events(*pieces)] == list("abc")


async def test_an_event_without_end_is_not_kept(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    monkeypatch.setattr(kopf_session, "ANSWER_BYTES", 5000)
    one, two = (line(builders.database(name=name)) for name in ("a", "b"))
    endless = [b"x" * 2000] * 9
    got = await events(one + b"\n", *endless, b"\n" + two + b"\n")
    assert [each["object"]["metadata"]["name"] for each in got] == ["a", "b"]
    assert "Event dropped: too large" in caplog.text
