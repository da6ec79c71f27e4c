"""The questions the cluster asks its API server, answered by a server with its certificate."""

import http.server
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.cluster import api, certificates, pki
from dev.cluster.errors import ClusterError
from dev.cluster.layout import Layout


class Answers(http.server.BaseHTTPRequestHandler):
    """Knows one path and one list."""

    known = {"/readyz": b"ok", "/list": b'{"items": [{"a": 1}]}'}  # noqa: RUF012 - never changed

    def do_GET(self) -> None:
        body = self.known.get(self.path)
        self.send_response(200 if body else 404)
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's
        pass


def layout(directory: Path, port: int) -> Layout:
    return Layout(
        name="x",
        directory=directory,
        api_port=port,
        etcd_port=1,
        peer_port=2,
        kubectl=Path("/bin/true"),
    )


def certified(directory: Path) -> pki.Authority:
    authority = pki.Authority(directory / "pki")
    authority.create()
    subject, names = certificates.servers(layout(directory, 1))["apiserver"]
    authority.issue("apiserver", subject, names)
    authority.issue("admin", pki.subject("kubernetes-admin"))
    return authority


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server is a thread of this process: on a busy machine it may be slow."""
    monkeypatch.setattr(api, "ANSWER_SECONDS", 60.0)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Layout]:
    directory = tmp_path_factory.mktemp("cluster")
    authority = certified(directory)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority.path("ca.crt"))
    context.load_cert_chain(authority.path("apiserver.crt"), authority.path("apiserver.key"))
    context.verify_mode = ssl.CERT_REQUIRED
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        yield layout(directory, server.server_port)
        server.shutdown()


def test_an_answer_has_status_and_body(cluster: Layout) -> None:
    assert api.get(cluster, "/readyz") == (200, b"ok")
    assert api.get(cluster, "/other") == (404, b"")


def test_only_200_counts_as_found(cluster: Layout) -> None:
    assert api.found(cluster, "/readyz")
    assert not api.found(cluster, "/other")


def test_the_items_of_a_list(cluster: Layout) -> None:
    assert api.items(cluster, "/list") == [{"a": 1}]
    assert api.items(cluster, "/other") == []


def test_nobody_answering_is_no_fault(cluster: Layout) -> None:
    assert api.get(layout(cluster.directory, 1), "/readyz") == (0, b"")


def test_somebody_else_answering_is_a_fault(cluster: Layout, tmp_path: Path) -> None:
    certified(tmp_path)
    with pytest.raises(ClusterError, match=r"is not that of cluster x .*delete the cluster"):
        api.get(layout(tmp_path, cluster.api_port), "/readyz")
