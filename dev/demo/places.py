"""Where the demo keeps what it leaves running."""

from pathlib import Path

from dev.cluster import paths

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "database.yaml"

CLUSTER = "daap-demo"
NAMESPACE = "shop"
DATABASE = "orders"

ROWS = """
SELECT name, owner_team, namespace, status, host, secret_name FROM databases
WHERE deleted_at IS NULL ORDER BY name
"""
"""What the demo shows of the inventory."""

IMAGE = "ghcr.io/cloudnative-pg/postgresql:17-standard-trixie"
"""Has psql, and is on every node that runs the database."""


def home() -> Path:
    """The demo's own directory; made if absent."""
    directory = paths.state() / "demo"
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def kubeconfig() -> Path:
    """The demo cluster's kubeconfig; the user's own is left alone."""
    return home() / "kubeconfig"


def postgres() -> Path:
    """The metadata database's directory."""
    return home() / "postgres"


def operator_log() -> Path:
    """What the operator says."""
    return home() / "operator.log"


def operator_pid() -> Path:
    """The running operator's process id."""
    return home() / "operator.pid"
