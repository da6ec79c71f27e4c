"""Kubeconfig files: rendered ours, and the user's."""

import base64
import json
from pathlib import Path

import pytest

from dev.cluster import kubeconfig


def test_a_kubeconfig_holds_server_authority_and_identity() -> None:
    text = kubeconfig.render(
        "x", "https://127.0.0.1:7", authority=b"CA", certificate=b"CERT", key=b"KEY"
    )
    content = json.loads(text)
    cluster, user = content["clusters"][0]["cluster"], content["users"][0]["user"]
    assert content["current-context"] == "kind-x"
    assert cluster["server"] == "https://127.0.0.1:7"
    assert base64.b64decode(cluster["certificate-authority-data"]) == b"CA"
    assert base64.b64decode(user["client-certificate-data"]) == b"CERT"
    assert base64.b64decode(user["client-key-data"]) == b"KEY"
    assert content["contexts"][0]["context"] == {"cluster": "kind-x", "user": "kind-x"}


def test_the_users_file_is_the_one_kind_would_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/one:/two")
    assert kubeconfig.users_file("/chosen") == Path("/chosen")
    assert kubeconfig.users_file(None) == Path("/one")
    monkeypatch.delenv("KUBECONFIG")
    monkeypatch.setenv("HOME", "/home/ann")
    assert kubeconfig.users_file(None) == Path("/home/ann/.kube/config")


def test_a_file_is_replaced_at_once_and_kept_private(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text("before")
    path.chmod(0o644)
    kubeconfig.replace(path, "after")
    assert path.read_text() == "after"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]
