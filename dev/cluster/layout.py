"""What makes one cluster: its names, addresses, ports and files. Pure; `cluster.json` keeps it."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

NODE_ADDRESS = "10.245.0.1"
POD_NETWORK = "10.244.0.0/24"
SERVICE_NETWORK = "10.96.0.0/16"
API_SERVICE = "10.96.0.1"
DNS_SERVICE = "10.96.0.10"
FACTS = "cluster.json"


@dataclass(frozen=True)
class Layout:
    """One cluster. With `node` it is a full one, else a control plane alone."""

    name: str
    directory: Path
    api_port: int
    etcd_port: int
    peer_port: int
    kubectl: Path
    node: bool = False
    audit: bool = False
    flags: dict[str, list[str]] = field(default_factory=dict)
    """Further flags by program; they come last, so they win."""

    @property
    def pki(self) -> Path:
        """The directory of the certificates."""
        return self.directory / "pki"

    @property
    def server(self) -> str:
        """The API server's address."""
        return f"https://127.0.0.1:{self.api_port}"

    @property
    def etcd(self) -> str:
        """etcd's address."""
        return f"http://127.0.0.1:{self.etcd_port}"

    @property
    def audit_log(self) -> Path:
        """The API server's audit log, one JSON document a line."""
        return self.directory / "audit.log"

    @property
    def containerd_socket(self) -> Path:
        """The container runtime of a full cluster."""
        return self.directory / "containerd.sock"

    @property
    def node_name(self) -> str:
        """The node's name, as kind names it."""
        return f"{self.name}-control-plane"

    def kubeconfig(self, user: str = "admin") -> Path:
        """The kubeconfig of one of the cluster's own users."""
        return self.directory / f"{user}.kubeconfig"

    def write(self) -> None:
        """Keep the layout for later programs."""
        facts = asdict(self) | {"directory": str(self.directory), "kubectl": str(self.kubectl)}
        (self.directory / FACTS).write_text(json.dumps(facts, indent=1))


def read(directory: Path) -> Layout | None:
    """The layout kept in a cluster's directory, None when there is none to be read."""
    try:
        facts = json.loads((directory / FACTS).read_text())
        return Layout(**facts | {"directory": directory, "kubectl": Path(facts["kubectl"])})
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
        return None  # its creation was cut short, or another version of this program made it
