"""Every pinned version: Go programs by their go.mod, the rest as constants.

The version of a Go program stands in one place, the `go.mod` below `modules/`, and is read from it.
"""

import re
from pathlib import Path

MODULES = Path(__file__).resolve().parent / "modules"


def pinned(go_mod: str, module: str) -> str:
    """The version at which the text of a go.mod requires a module, such as `v1.34.4`."""
    found = re.search(rf"^(?:require)?\s*{re.escape(module)} (v\S+)", go_mod, re.MULTILINE)
    if found is None:
        raise ValueError(f"go.mod does not require {module}")
    return found[1]


def _pinned(folder: str, module: str) -> str:
    return pinned((MODULES / folder / "go.mod").read_text(), module)


KUBERNETES = _pinned("kubernetes", "k8s.io/kubernetes")
CNPG_MODULE = "github.com/cloudnative-pg/cloudnative-pg"
CNPG = _pinned("cnpg", CNPG_MODULE).removeprefix("v")
BARMAN_MODULE = "github.com/cloudnative-pg/plugin-barman-cloud"
BARMAN = _pinned("plugin-barman-cloud", BARMAN_MODULE)
"""CloudNativePG's Barman Cloud plugin. Not 0.15.0: it restores WAL by way of /var/tmp, which is
read-only in the pods that CloudNativePG 1.30 runs (cloudnative-pg/plugin-barman-cloud#1113)."""
VERSITYGW_MODULE = "github.com/versity/versitygw"
VERSITYGW = _pinned("versitygw", VERSITYGW_MODULE)
KRO_MODULE = "github.com/kubernetes-sigs/kro"
"""What the operator is measured beside."""

DEBIAN = "trixie"
"""The Debian release of every image; its PostgreSQL and Python are the two below."""
POSTGRES = "17"
PYTHON = "3.13"
PGBOUNCER = "1.25.1"
"""CloudNativePG's default PgBouncer image tag; the program inside is Debian's."""

PYTHON_IMAGE = f"python:{PYTHON}-slim"
PAUSE_IMAGE = "localhost/daap-pause:1"
CNPG_IMAGE = f"ghcr.io/cloudnative-pg/cloudnative-pg:{CNPG}"
POSTGRES_IMAGES = (
    f"ghcr.io/cloudnative-pg/postgresql:{POSTGRES}-standard-{DEBIAN}",
    f"ghcr.io/cloudnative-pg/postgresql:{POSTGRES}",
    f"ghcr.io/cloudnative-pg/pgbouncer:{PGBOUNCER}",
)
BARMAN_IMAGE = f"ghcr.io/cloudnative-pg/plugin-barman-cloud:{BARMAN}"
SIDECAR_IMAGE = f"ghcr.io/cloudnative-pg/plugin-barman-cloud-sidecar:{BARMAN}"
VERSITYGW_IMAGE = f"ghcr.io/versity/versitygw:{VERSITYGW}"
