"""The requests to the API server, as far as an answer alone does not say what is."""

from pathlib import Path
from typing import Any

import pytest
from kubernetes.aio.client import Configuration
from kubernetes.aio.config import incluster_config

from daap_operator.errors import StartError
from daap_operator.kinds import known
from daap_operator.kube import ApiError, Kube
from dev.cluster import pki
from tests.unit.fakes import refused

Object = dict[str, Any]


class Answering(Kube):
    """Answers DELETE with a conflict, and GET with what is there."""

    def __init__(self, there: Object | None) -> None:
        super().__init__(Configuration())
        self.there = there

    async def _request(self, method: str, *_: Any, **__: Any) -> Object:
        if method == "DELETE":
            raise refused(409, "Operation cannot be fulfilled", "Conflict")
        if self.there is None:
            raise refused(404)
        return self.there


async def test_a_conflict_does_not_make_an_object_gone() -> None:
    async with Answering({"metadata": {"uid": "ours"}}) as kube:
        with pytest.raises(ApiError, match="409"):
            await kube.delete(known.SECRET, "shop", "old", uid="ours")


@pytest.mark.parametrize("there", [None, {"metadata": {"uid": "another"}}])
async def test_a_conflict_over_the_uid_says_that_ours_is_gone(there: Object | None) -> None:
    async with Answering(there) as kube:
        assert await kube.delete(known.SECRET, "shop", "old", uid="ours") is None


class Deleting(Kube):
    """Takes down what a DELETE says, and answers that the object is gone."""

    def __init__(self) -> None:
        super().__init__(Configuration())
        self.body: Object = {}

    async def _request(self, *_: Any, body: Object | None = None, **__: Any) -> Object:
        assert body is not None
        self.body = body
        return {"kind": "Status"}


async def test_a_deletion_says_what_becomes_of_the_owned_only_when_asked_to() -> None:
    async with Deleting() as kube:
        await kube.delete(known.SECRET, "shop", "old", uid="ours")
        preconditions = {"preconditions": {"uid": "ours"}}
        plain = {"kind": "DeleteOptions", "apiVersion": "v1"} | preconditions
        assert kube.body == plain
        await kube.delete(known.SECRET, "shop", "old", uid="ours", propagation="Foreground")
        assert kube.body == plain | {"propagationPolicy": "Foreground"}


# --- the kubeconfig -------------------------------------------------------------------------------

USABLE = """
current-context: a
contexts: [{name: a, context: {cluster: a, user: a}}]
clusters: [{name: a, cluster: {server: "http://127.0.0.1:1"}}]
users: [{name: a, user: {token: any}}]
"""

UNUSABLE = {
    "empty": "",
    "not YAML": "a: [",
    "a list": "[]",
    "a text": "kubeconfig",
    "no context": "{current-context: b, contexts: [], clusters: [], users: []}",
    "a context that is none": "{current-context: a, contexts: [3], clusters: [], users: []}",
    "clusters that are none": USABLE.replace("[{name: a, cluster:", "3 #"),
    "an authority that is none": USABLE.replace("http:", "https:").replace(
        "cluster: {server", "cluster: {certificate-authority-data: YWJj, server"
    ),
    "an authority that is no base64": USABLE.replace("http:", "https:").replace(
        "cluster: {server", "cluster: {certificate-authority-data: '!', server"
    ),
}


@pytest.mark.parametrize("text", UNUSABLE.values(), ids=UNUSABLE)
async def test_a_kubeconfig_that_is_none_is_told(text: str, tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(text)
    with pytest.raises(StartError, match=f"by the kubeconfig {path}: .+; set KUBECONFIG to a file"):
        await Kube.connect(str(path))


async def test_without_a_kubeconfig_the_one_at_home_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube" / "config").write_text(USABLE)
    async with await Kube.connect(None) as kube:
        assert (await kube.credentials()).server == "http://127.0.0.1:1"


@pytest.mark.parametrize(
    ("host", "server"),
    [("10.96.0.1", "https://10.96.0.1:443"), ("fd00:10:96::1", "https://[fd00:10:96::1]:443")],
)
async def test_a_pods_api_server_has_an_address_of_either_family(
    host: str, server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    account = tmp_path / "serviceaccount"
    pki.Authority(account).create()
    (account / "token").write_text("content")
    for name, attribute in (("token", "TOKEN"), ("ca.crt", "CERT")):
        monkeypatch.setattr(incluster_config, f"SERVICE_{attribute}_FILENAME", account / name)
    monkeypatch.setattr("daap_operator.kube.credentials.SERVICE_ACCOUNT", account)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    kube = await Kube.connect(None)
    assert (await kube.credentials()).server == server


class Deep(Kube):
    """Answers with an object in whose managedFields somebody has nested fields without end."""

    async def _send(self, *_: Any, **__: Any) -> tuple[int, Any, bytes]:
        fields = '{"f:a":' * 9000 + "{}" + "}" * 9000
        managed = f'"metadata":{{"name":"x","managedFields":[{{"fieldsV1":{fields}}}]}}'
        return 200, {}, f'{{"kind":"Pod",{managed},"spec":{{"nodeName":"n"}}}}'.encode()


async def test_an_object_is_read_however_deep_somebody_nested_fields_in_it() -> None:
    async with Deep(Configuration()) as kube:
        found = await kube.get(known.POD, "shop", "x")
    assert found
    assert found["spec"] == {"nodeName": "n"}
    assert found["metadata"]["name"] == "x"
