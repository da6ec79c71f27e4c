"""The project's own Kubernetes cluster: a control plane for tests, and a full node without Docker.

`ControlPlane` is the Python interface, `dev/kind` the command line. README.md tells the rest.
"""

from dev.cluster import cnpg
from dev.cluster.control_plane import ControlPlane
from dev.cluster.errors import ClusterError

__all__ = ["ClusterError", "ControlPlane", "cnpg"]
