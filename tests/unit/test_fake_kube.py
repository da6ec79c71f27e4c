"""The API server as a dict serves any kind, also one that is in no namespace."""

from daap_operator import names
from daap_operator.kube import Kind
from tests.unit.fake_kube import FakeKube
from tests.unit.fakes import Clock
from tests.unit.toys import SHELF, TOY

OURS = Kind(names.GROUP, names.VERSION, "DaapToy", "daaptoys", namespaced=False)

HEAD = {"apiVersion": SHELF.api_version, "kind": SHELF.name}


async def listed(kube: FakeKube, kind: Kind, namespace: str) -> list[str]:
    pages = [page async for page in kube.pages(kind, namespace)]
    return [obj["metadata"]["name"] for page in pages for obj in page]


async def test_what_is_in_no_namespace_is_found_from_any() -> None:
    kube = FakeKube(Clock())
    kube.add(SHELF, {"metadata": {"name": "low"}})
    kube.add(TOY, {"metadata": {"name": "bear"}})
    for namespace in ("", "shop", "elsewhere"):
        found = await kube.get(SHELF, namespace, "low")
        assert found
        assert "namespace" not in found["metadata"]
        assert await listed(kube, SHELF, namespace) == ["low"]
    assert await kube.get(TOY, "elsewhere", "bear") is None
    assert await listed(kube, TOY, "elsewhere") == []


async def test_it_can_be_written_changed_and_deleted() -> None:
    kube = FakeKube(Clock())
    manifest = {"metadata": {"name": "low"}, "spec": {"size": 1}}
    made = await kube.create(SHELF, HEAD | manifest)
    uid = made["metadata"]["uid"]
    kube.change(SHELF, "low", lambda shelf: shelf["spec"].update(size=2))
    assert kube.one(SHELF, "low")["spec"] == {"size": 2}
    version = kube.one(SHELF, "low")["metadata"]["resourceVersion"]
    await kube.write_status(SHELF, "", "low", {"seen": True}, version=version)
    assert kube.one(SHELF, "low")["status"] == {"seen": True}
    assert await kube.delete(SHELF, "", "low", uid=uid) is None
    assert kube.there(SHELF) == []


async def test_an_object_of_ours_begins_as_its_crd_says() -> None:
    kube = FakeKube(Clock())
    assert kube.add(OURS, {"metadata": {"name": "bear"}})["status"] == {"observedGeneration": -1}
    assert "status" not in kube.add(TOY, {"metadata": {"name": "bear"}})
