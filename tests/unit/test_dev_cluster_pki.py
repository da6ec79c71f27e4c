"""The cluster's certificates: what is asked of openssl, and what comes out."""

from pathlib import Path

import pytest

from dev.cluster import certificates, commands, pki
from dev.cluster.layout import Layout


def plane(directory: Path, *, node: bool) -> Layout:
    return Layout(
        name="x",
        directory=directory,
        api_port=6443,
        etcd_port=1,
        peer_port=2,
        kubectl=Path("/bin/true"),
        node=node,
    )


@pytest.mark.parametrize(
    ("user", "groups", "subject"),
    [
        ("ann", [], "/CN=ann"),
        ("ann", ["dev", "ops"], "/O=dev/O=ops/CN=ann"),
        ("a/b+c\\d", [], "/CN=a\\/b\\+c\\\\d"),
        ("system:serviceaccount:ns:sa", [], "/CN=system:serviceaccount:ns:sa"),
    ],
    ids=["user", "groups", "escapes", "service account"],
)
def test_a_user_is_the_common_name_and_groups_are_organizations(
    user: str, groups: list[str], subject: str
) -> None:
    assert pki.subject(user, groups) == subject


def test_extensions_name_the_alternatives() -> None:
    assert "subjectAltName=DNS:a,IP:1.2.3.4\n" in pki.extensions(["DNS:a", "IP:1.2.3.4"])
    assert "subjectAltName" not in pki.extensions()


def test_every_user_and_set_of_groups_has_a_file_of_its_own() -> None:
    names = {
        pki.file_name(user, groups)
        for user, groups in [("a/b", ()), ("a-b", ()), ("a-b", ("g",)), ("a-b", ("g", "h"))]
    }
    assert len(names) == 4
    assert all("/" not in name for name in names)


def test_a_control_plane_alone_has_no_certificates_of_a_node(tmp_path: Path) -> None:
    alone, full = plane(tmp_path, node=False), plane(tmp_path, node=True)
    assert set(certificates.users(alone)) == {"admin", "kube-controller-manager"}
    assert {"kubelet", "kube-proxy", "kube-scheduler"} < set(certificates.users(full))
    assert "kubelet-server" in certificates.servers(full)
    assert "kubelet-server" not in certificates.servers(alone)
    assert certificates.users(full)["kubelet"] == "/O=system:nodes/CN=system:node:x-control-plane"


def test_the_api_server_answers_to_its_names_inside_and_outside(tmp_path: Path) -> None:
    _, alternatives = certificates.servers(plane(tmp_path, node=True))["apiserver"]
    assert {"DNS:kubernetes.default.svc", "IP:127.0.0.1", "IP:10.96.0.1"} <= set(alternatives)


def test_an_issued_certificate_verifies_and_carries_subject_and_names(tmp_path: Path) -> None:
    authority = pki.Authority(tmp_path / "pki")
    authority.create()
    authority.issue("x", pki.subject("a/b", ["g"]), ["DNS:example.test", "IP:10.0.0.1"])
    certificate = authority.path("x.crt")
    commands.run(
        "openssl", "verify", "-x509_strict", "-CAfile", authority.path("ca.crt"), certificate
    )
    shown = commands.run("openssl", "x509", "-in", certificate, "-noout", "-text")
    assert "O = g, CN = a/b" in shown
    assert "DNS:example.test, IP Address:10.0.0.1" in shown
    assert "TLS Web Client Authentication" in shown
    assert "X509v3 Authority Key Identifier" in shown


def test_keys_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    authority = pki.Authority(tmp_path / "pki")
    authority.create()
    assert authority.directory.stat().st_mode & 0o077 == 0
    assert authority.path("ca.key").stat().st_mode & 0o077 == 0
