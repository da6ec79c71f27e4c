"""Kubeconfig files: rendering ours, and adding to or removing from a file of the user's."""

import base64
import json
import os
from pathlib import Path

from dev.cluster.commands import ask, run
from dev.cluster.pki import Authority


def context(name: str) -> str:
    """The context of a cluster, named as kind names it."""
    return f"kind-{name}"


def render(name: str, server: str, *, authority: bytes, certificate: bytes, key: bytes) -> str:
    """A kubeconfig with one user, who has the certificate and key (PEM)."""

    def encoded(pem: bytes) -> str:
        return base64.b64encode(pem).decode()

    cluster = {"server": server, "certificate-authority-data": encoded(authority)}
    user = {"client-certificate-data": encoded(certificate), "client-key-data": encoded(key)}
    all_names = context(name)
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": all_names,
        "clusters": [{"name": all_names, "cluster": cluster}],
        "users": [{"name": all_names, "user": user}],
        "contexts": [{"name": all_names, "context": {"cluster": all_names, "user": all_names}}],
    }
    return json.dumps(content, indent=1)


def write(path: Path, name: str, server: str, *, authority: Authority, issued: str) -> None:
    """Write the kubeconfig of a certificate that the authority issued under the name `issued`."""
    text = render(
        name,
        server,
        authority=authority.path("ca.crt").read_bytes(),
        certificate=authority.path(f"{issued}.crt").read_bytes(),
        key=authority.path(f"{issued}.key").read_bytes(),
    )
    replace(path, text)


def replace(path: Path, text: str) -> None:
    """Replace a file at once, readable only by its owner."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.touch(mode=0o600)
    partial.write_text(text)
    partial.rename(path)


def users_file(chosen: str | None) -> Path:
    """The file kind would write: the chosen one, else the first of `KUBECONFIG`, or the default."""
    listed = os.environ.get("KUBECONFIG", "").split(os.pathsep)[0]
    return Path(chosen or listed or "~/.kube/config").expanduser()


def merge(kubectl: Path, path: Path, added: Path) -> None:
    """Add a kubeconfig to the user's file and make its context the current one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    files = [str(added), *([str(path)] if path.exists() and path.stat().st_size else [])]
    both = {"KUBECONFIG": os.pathsep.join(files)}  # the first file's names and context win
    replace(path, run(kubectl, "config", "view", "--flatten", env=both))


def remove(kubectl: Path, path: Path, name: str) -> None:
    """Take a cluster out of the user's file; nothing happens when it is not in it."""
    known = ask(kubectl, f"--kubeconfig={path}", "config", "get-contexts", "-o", "name")
    if not path.exists() or context(name) not in known.split():
        return
    config = (kubectl, f"--kubeconfig={path}", "config")
    if ask(*config, "current-context").strip() == context(name):
        run(*config, "unset", "current-context")
    for kind in ("delete-context", "delete-cluster", "delete-user"):
        run(*config, kind, context(name))
