"""The operator as docs/install.md installs it: names, values, and a metadata database for it.

For the demo and for the tests on a real cluster, which prove that what the docs say works.
"""

from collections.abc import Callable
from pathlib import Path

from dev.cluster import programs

ROOT = Path(__file__).resolve().parents[1]
CHART = ROOT / "charts" / "daap-operator"
METADATA_DATABASE = ROOT / "examples" / "install" / "metadata-database.yaml"

RELEASE, NAMESPACE = "daap-operator", "daap-system"
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}

_VALUES = {
    "metadataDatabase.existingSecret.name": "daap-metadata-app",
    "metadataDatabase.existingSecret.key": "uri",
    "metadataDatabase.tls.caSecret.name": "daap-metadata-ca",
}
VALUES = tuple(f"--set={name}={value}" for name, value in _VALUES.items())
"""Helm's options for a metadata database that CloudNativePG runs."""


def helm() -> Path:
    """Helm of our own, built once: the one on PATH may be of any age."""
    return programs.build(["helm"])["helm"]


def metadata_database(kubectl: Callable[..., str], *, seconds: int) -> None:
    """The namespace and the metadata database in it, made unless they are there; waits for it.

    `kubectl` runs it with the given words, and with `text` as its input.
    """
    namespace = kubectl("create", "namespace", NAMESPACE, "--dry-run=client", "--output=yaml")
    kubectl("apply", "--filename=-", text=namespace)
    labels = (f"{key}={value}" for key, value in RESTRICTED.items())
    kubectl("label", "--overwrite", "namespace", NAMESPACE, *labels)
    kubectl("apply", f"--filename={METADATA_DATABASE}")
    ready = ("--for=condition=Ready", "cluster/daap-metadata", f"--timeout={seconds}s")
    kubectl("wait", *ready, f"--namespace={NAMESPACE}")
