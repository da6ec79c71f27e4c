"""LISTs: how much is asked for, read and kept at a time, whatever the objects are."""

import json
from collections.abc import Callable
from contextlib import suppress
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from kubernetes.aio.client import Configuration

from daap_operator.kinds import known
from daap_operator.kube import ApiError, Kube, Unreachable, connection, listing
from daap_operator.kube.listing import FIRST_PAGE, METADATA, PAGE, Page, Paging, heard
from daap_operator.kube.sizes import ANSWER_BYTES, OBJECT_BYTES, PAGE_BYTES, TOO_LARGE, marked, told

Object = dict[str, Any]


# --- a page ---------------------------------------------------------------------------------------

TEXTS = {
    "metadata first": '{"kind":"L","metadata":{"resourceVersion":"7","continue":"c"},"items":[%s]}',
    "objects first": '{"items":[%s],"kind":"L",'
    '"metadata":{"continue":"c","resourceVersion":"7"}}\n',
    "with spaces": ' { "kind" : "L",\n"items" : [ %s ] , "metadata":'
    ' {"resourceVersion": "7", "continue": "c"} }',
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("objects", [[], [{}], [{"a": [1, "}]"]}, {"metadata": {"b": None}}]])
def test_a_page_is_read_object_by_object(text: str, objects: list[Object]) -> None:
    page = Page(text % " , ".join(json.dumps(each) for each in objects))
    assert list(page) == objects
    assert (page.count, page.version, page.next) == (len(objects), 7, "c")
    assert list(page) == [], "once"


def test_objects_are_read_however_deep_somebody_nested_fields_in_them() -> None:
    deep = '{"f:a":' * 9000 + "{}" + "}" * 9000
    items = f'{{"a":1}},{{"m":{deep},"b":2}},{{"c":3}},{{"m":{deep},"d":4}}'
    first, second, third, fourth = Page(f'{{"items":[{items}],"kind":"L","metadata":{{}}}}')
    assert (first, third) == ({"a": 1}, {"c": 3})
    assert (second["b"], fourth["d"]) == (2, 4)


def test_only_one_object_of_a_page_is_there_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[int] = []
    decode = json.JSONDecoder().raw_decode

    def counted(text: str, at: int) -> tuple[Any, int]:
        parsed.append(at)
        return decode(text, at)

    monkeypatch.setattr(listing, "_decode", counted)
    page = iter(Page('{"items":[{"a":1},{"a":2}],"kind":"L","metadata":{}}'))
    next(page)
    assert len(parsed) == 2, "the key and the first object"
    next(page)
    assert len(parsed) == 3


@pytest.mark.parametrize(
    "text",
    ["", "<html>", "[]", "{", '{"items":[{}', '{"items":[{}]}', '{"a" 1}', "{" + '"a":[' * 99999],
)
def test_what_is_no_page_is_an_outage(text: str) -> None:
    with pytest.raises(Unreachable, match="LIST: an answer, but no list"):
        Page(text).finish()


@pytest.mark.parametrize("sign", ["x", "é", "😀"])
def test_a_large_object_is_marked_with_what_makes_it_so(sign: str) -> None:
    count = OBJECT_BYTES // len(sign.encode())
    large = {"kind": "A", "metadata": {"labels": {"a": sign * count}}, "spec": {"a": 1}}
    small = {"metadata": {"labels": {"a": sign}}}
    objects = ",".join(json.dumps(each, ensure_ascii=False) for each in (large, small))
    got = list(Page(f'{{"kind":"L","items":[{objects}]}}'))
    assert got[0].pop(TOO_LARGE)["field"] == "metadata.labels"
    assert got == [large, small]


def test_a_large_object_tells_size_field_and_remedy() -> None:
    obj = {"metadata": {"finalizers": ["example.org/a"] * 20_000, "name": "a"}, "spec": {}}
    size = len(json.dumps(obj))
    words = told("The object", marked(obj, size))
    assert f"{size} bytes" in words
    assert "in metadata.finalizers" in words
    assert str(OBJECT_BYTES) in words
    assert words.endswith("make metadata.finalizers smaller")
    assert not told("The object", marked({"metadata": {}}, OBJECT_BYTES))


# --- how much is asked for ------------------------------------------------------------------------


def test_ordinary_objects_take_hardly_more_pages_than_there_must_be() -> None:
    paging, left, requests = Paging(), 5000, 0
    while left > 0:
        requests += 1
        left -= paging.limit
        paging.learn(paging.limit, paging.limit * 8_000)
    assert requests == 1 + (5000 - FIRST_PAGE + PAGE - 1) // PAGE


@pytest.mark.parametrize("size", [1, 1000, 20_000, 300_000, 1_500_000, 9_000_000])
def test_a_page_that_follows_fits(size: int) -> None:
    paging = Paging()
    for _ in range(9):
        paging.learn(paging.limit, paging.limit * size)
        assert paging.limit == 1 or paging.limit * size <= PAGE_BYTES // 2
        assert 1 <= paging.limit <= PAGE


def test_a_single_object_is_read_whatever_it_has() -> None:
    paging = Paging()
    assert paging.most == PAGE_BYTES
    tries = 0
    while paging.less():
        tries += 1
    assert tries < 5
    assert (paging.limit, paging.most) == (1, ANSWER_BYTES)


# --- LISTs ----------------------------------------------------------------------------------------


class Content:
    """An answer's content, in pieces; notes how much of it was asked for."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.read = 0

    async def iter_any(self) -> Any:
        for at in range(0, len(self.content), 65536):
            piece = self.content[at : at + 65536]
            self.read += len(piece)
            yield piece


class Answer:
    """An answer of the API server."""

    def __init__(self, answer: Object, status: int = 200) -> None:
        self.status = status
        self.headers: dict[str, str] = {}
        self.content = Content(json.dumps(answer).encode())
        self.closed = False

    def close(self) -> None:
        self.closed = True


class Server:
    """An API server with some objects, by their sizes; it has pages, and forgets them."""

    def __init__(self, sizes: list[int]) -> None:
        self.objects = [
            {"metadata": {"name": f"{number}", "annotations": {"a": "x" * size}}}
            for number, size in enumerate(sizes)
        ]
        self.answers: list[Answer] = []
        self.asked: list[dict[str, str]] = []
        self.accepted: list[str] = []
        """The forms that each request asks for."""
        self.version = 10
        self.expires: set[int] = set()
        """The requests, by number, that a page is too old for."""
        self.slow_above = PAGE
        """Pages of more objects are not answered in time."""

    async def request(
        self, method: str, url: str, headers: dict[str, str] | None = None, **_: Any
    ) -> Any:
        assert method == "GET"
        self.accepted.append((headers or {}).get("Accept", ""))
        query = {key: value[0] for key, value in parse_qs(urlsplit(url).query).items()}
        self.asked.append(query)
        if int(query.setdefault("limit", "1")) > self.slow_above:
            raise TimeoutError
        made = self._answer(query)
        self.answers.append(made)
        return SimpleNamespace(status=made.status, headers={}, response=made)

    def _answer(self, query: dict[str, str]) -> Answer:
        start, end = int(query.get("continue", "0")), int(query["limit"])
        if len(self.asked) in self.expires:
            self.version += 10
            metadata = {"continue": str(start)}
            return Answer({"kind": "Status", "reason": "Expired", "metadata": metadata}, 410)
        page = self.objects[start : start + end]
        after = str(start + end) if start + end < len(self.objects) else ""
        metadata = {"resourceVersion": str(self.version), "continue": after}
        return Answer({"kind": "List", "metadata": metadata, "items": page})


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> Callable[[Server], Kube]:
    def connect(server: Server) -> Kube:
        made = Kube(Configuration())
        monkeypatch.setattr(made._client, "rest_client", server)
        monkeypatch.setattr(made._client, "close", closed)
        return made

    return connect


async def closed() -> None:
    return


async def names(kube: Kube) -> tuple[list[str], list[int]]:
    found: list[str] = []
    versions: list[int] = []
    async for page in kube.pages(known.DATABASE):
        found += [obj["metadata"]["name"] for obj in page]
        versions.append(page.version)
    return found, versions


SIZES = {
    "none": [],
    "ordinary": [3000] * 1700,
    "the largest there are": [1_400_000] * 12,
    "the largest after ordinary ones": [3000] * 300 + [1_400_000] * 12,
    "one that is larger than a page": [3000] * 50 + [PAGE_BYTES + 1] + [3000] * 50,
}


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
async def test_all_objects_are_listed_once_and_no_page_is_read_further_than_it_may(
    sizes: list[int], connected: Any
) -> None:
    server = Server(sizes)
    async with connected(server) as kube:
        found, _ = await names(kube)
    assert found == [str(number) for number in range(len(sizes))]
    for query, answer in zip(server.asked, server.answers, strict=True):
        most = PAGE_BYTES if query["limit"] != "1" else ANSWER_BYTES
        assert answer.content.read <= most + 65536
        assert answer.closed is (len(answer.content.content) > most)
    wasted = [answer for answer in server.answers if answer.closed]
    assert len(wasted) <= 8
    needed = sum(sizes) // (PAGE_BYTES // 4) + len(sizes) // PAGE
    assert len(server.answers) <= needed + 20


async def test_metadata_is_asked_for_on_each_page_and_only_where_it_is_to_be(
    connected: Any,
) -> None:
    server = Server([3000] * 300)
    async with connected(server) as kube:
        await names(kube)
        assert set(server.accepted) == {""}
        server.accepted.clear()
        async for page in kube.pages(known.DATABASE, metadata_only=True):
            page.finish()
        await kube.get(known.DATABASE, "shop", "orders")
    *pages, read = server.accepted
    assert len(pages) > 1
    assert (set(pages), read) == ({METADATA}, "")
    assert METADATA.startswith("application/json;as=PartialObjectMetadataList;")


async def test_what_is_too_large_even_alone_fails_the_list(
    connected: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "ANSWER_BYTES", PAGE_BYTES)
    async with connected(Server([PAGE_BYTES])) as kube:
        with pytest.raises(connection.TooMuch):
            await names(kube)


async def test_a_page_that_is_too_slow_is_asked_for_in_parts(connected: Any) -> None:
    server = Server([3000] * 200)
    async with connected(server) as kube:
        server.slow_above = 10
        tries = 0
        found: list[str] = []
        while not found:
            tries += 1
            with suppress(Unreachable):  # as whoever lists does
                found, _ = await names(kube)
    assert len(found) == 200
    assert tries == 3, "an API server that does not answer is not asked for ever by one LIST"
    assert len(server.asked) < 2 * 200 / 10 + 40


async def test_a_list_that_took_too_long_goes_on(connected: Any) -> None:
    """With so many bytes there are that it takes minutes it would never come to an end."""
    server = Server([3000] * 1200)
    server.expires = {2, 4}
    async with connected(server) as kube:
        found, versions = await names(kube)
    assert found == [str(number) for number in range(1200)]
    assert versions == sorted(versions)
    assert versions[0] < versions[-1]


async def test_a_list_that_cannot_go_on_fails(connected: Any) -> None:
    class Forgetful(Server):
        def _answer(self, query: dict[str, str]) -> Answer:
            return Answer({"kind": "Status", "reason": "Expired"}, 410)

    async with connected(Forgetful([])) as kube:
        with pytest.raises(ApiError, match="410"):
            await names(kube)


async def test_of_events_what_is_read_is_kept(connected: Any) -> None:
    server = Server([])
    server.objects = [event() for _ in range(6)]
    async with connected(server) as kube:
        got = await kube.warnings("shop")
    assert 1 <= len(got) <= 6
    assert all(len(json.dumps(each)) < 4000 for each in got)
    assert got[0]["regarding"] == {"kind": "Pod", "name": "orders-1"}
    assert {query["fieldSelector"] for query in server.asked} == {"type=Warning"}


def event() -> Object:
    large = "x" * 1_400_000
    return {
        "metadata": {"creationTimestamp": "2026-01-01T00:00:00Z", "annotations": {"a": large}},
        "regarding": {"kind": "Pod", "name": "orders-1", "fieldPath": large},
        "reason": "FailedMount",
        "note": large,
        "series": {"lastObservedTime": "2026-01-01T00:00:00Z", "count": 3},
    }


def test_an_event_is_cut_wherever_it_is_long() -> None:
    grown: Object = dict.fromkeys(("reason", "type", "eventTime", "note", "action"), "y" * 9999)
    for key in ("regarding", "series", "metadata"):
        grown[key] = {"kind": "y" * 9999, "name": ["y"] * 9999, "lastObservedTime": "y" * 9999}
    assert len(json.dumps(heard(grown))) < 3000
