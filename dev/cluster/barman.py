"""CloudNativePG's Barman Cloud plugin as its Go module ships it, without cert-manager."""

import base64
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

from dev.cluster import cnpg, go_modules, pki, versions
from dev.cluster.errors import ClusterError

NAMESPACE = cnpg.NAMESPACE
"""CloudNativePG looks for plugins in its own."""
DEPLOYMENT = "barman-cloud"
CERTIFICATES = {"barman-cloud-server-tls": "barman-cloud", "barman-cloud-client-tls": "client"}
"""The Secrets by which the plugin and CloudNativePG know each other, and whom each is of."""

CERT_MANAGERS = re.compile(r"^apiVersion: cert-manager\.io/", re.MULTILINE)
MODULES_IMAGE = "ghcr.io/cloudnative-pg/plugin-barman-cloud-testing:main"
MODULES_SIDECAR = re.compile(r"^  SIDECAR_IMAGE: \|\n(?:    \S+\n)+", re.MULTILINE)
SLOW_PROBE = "initialDelaySeconds: 10\n          periodSeconds: 10\n"
QUICK_PROBE = "periodSeconds: 1\n"


def crds() -> Path:
    """The directory with the YAML file of the CRD ObjectStore. Raises ClusterError."""
    return go_modules.part("plugin-barman-cloud", versions.BARMAN_MODULE, "config/crd/bases")


def manifest() -> str:
    """The YAML that installs the plugin but for its certificates: CRD, RBAC, Service, Deployment.

    Raises ClusterError when another version of the module is not as this one expects it.
    """
    file = go_modules.part("plugin-barman-cloud", versions.BARMAN_MODULE, "manifest.yaml")
    documents = file.read_text().split("\n---\n")
    text = "\n---\n".join(one for one in documents if not CERT_MANAGERS.search(one))
    sidecar = base64.b64encode(versions.SIDECAR_IMAGE.encode()).decode()
    # The module's own manifest names what its developers built last
    text = _replaced(re.escape(MODULES_IMAGE), versions.BARMAN_IMAGE, text)
    text = _replaced(MODULES_SIDECAR, f"  SIDECAR_IMAGE: {sidecar}\n", text)
    return _replaced(re.escape(SLOW_PROBE), QUICK_PROBE, text)


def _replaced(pattern: str | re.Pattern[str], by: str, text: str) -> str:
    text, found = re.subn(pattern, by, text)
    if found != 1:
        raise ClusterError(
            f"plugin-barman-cloud {versions.BARMAN} has another manifest.yaml than dev/cluster/"
            f"barman.py knows: {found} places match {pattern!r}"
        )
    return text


def apply(kubectl: Callable[..., str]) -> None:
    """Give the plugin to a cluster that has CloudNativePG; safe to repeat. Raises ClusterError.

    `kubectl` runs it with the given words, and with `text` as its input.
    """
    with tempfile.TemporaryDirectory() as directory:
        for secret, owner in CERTIFICATES.items():
            if not kubectl("get", "secret", secret, "-n", NAMESPACE, "--ignore-not-found"):
                # Self-signed, each: either side takes the other's own certificate for its authority
                certificate, key = pki.self_signed(Path(directory), owner)
                pair = (f"--cert={certificate}", f"--key={key}")
                kubectl("create", "secret", "tls", secret, "-n", NAMESPACE, *pair)
    kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", text=manifest())
