"""The operator's chart in a real cluster, as Helm, kubectl and their users see it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dev.cluster import commands
from dev.installation import CHART, NAMESPACE, RELEASE, VALUES, helm

OPERATOR = f"app.kubernetes.io/name={RELEASE},app.kubernetes.io/component=operator"
MIGRATION = f"app.kubernetes.io/name={RELEASE},app.kubernetes.io/component=migration"
TIMEOUT = "--timeout=180s"


@dataclass(frozen=True)
class Release:
    """One release of the chart in its namespace. Each method raises ClusterError when it fails."""

    kubeconfig: Path
    kubectl_path: Path

    def install(self, chart: Path = CHART) -> str:
        """`helm install`, waiting until the operator is ready; what Helm prints."""
        return self._helm("install", RELEASE, str(chart), *VALUES, "--wait", TIMEOUT)

    def upgrade(self, *options: str) -> str:
        """`helm upgrade` to this checkout's chart with the same values, as the docs have it."""
        same = "--reset-then-reuse-values"
        return self._helm("upgrade", RELEASE, str(CHART), same, "--wait", TIMEOUT, *options)

    def test(self) -> str:
        """`helm test`."""
        return self._helm("test", RELEASE, TIMEOUT, "--logs")

    def uninstall(self) -> str:
        """`helm uninstall`, waiting until all is gone; fine when it is not installed."""
        return self._helm("uninstall", RELEASE, "--wait", TIMEOUT, "--ignore-not-found")

    def kubectl(self, *arguments: str, text: str | None = None) -> str:
        """kubectl, with all rights."""
        where = f"--kubeconfig={self.kubeconfig}"
        return commands.run(self.kubectl_path, where, *arguments, text=text)

    def objects(self, *arguments: str) -> list[dict[str, Any]]:
        """What `kubectl get` finds."""
        found = yaml.safe_load(self.kubectl("get", *arguments, "--output=yaml"))
        items: list[dict[str, Any]] = found["items"]
        return items

    def leader(self) -> str:
        """The pod that holds the Lease; empty while none does, or one that is gone."""
        lease = yaml.safe_load(
            self.kubectl("get", "lease", RELEASE, f"--namespace={NAMESPACE}", "--output=yaml")
        )
        holder = lease["spec"].get("holderIdentity")
        pods = self.objects("pods", f"--namespace={NAMESPACE}")
        held = [pod["metadata"]["name"] for pod in pods if pod["metadata"]["uid"] == holder]
        return held[0] if held else ""

    def operators(self) -> set[str]:
        """The uids of the operator's pods that are to stay."""
        found = self.objects("pods", f"--namespace={NAMESPACE}", f"--selector={OPERATOR}")
        return {
            pod["metadata"]["uid"] for pod in found if "deletionTimestamp" not in pod["metadata"]
        }

    def migrated(self) -> str:
        """What the last migration Job said."""
        where = (f"--namespace={NAMESPACE}", f"--selector={MIGRATION}")
        return self.kubectl("logs", *where, "--container=migrate", "--tail=-1")

    def _helm(self, *arguments: str) -> str:
        where = (f"--kubeconfig={self.kubeconfig}", f"--namespace={NAMESPACE}")
        return commands.run(helm(), *arguments, *where)
