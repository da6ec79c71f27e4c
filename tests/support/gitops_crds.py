"""The CRDs of Argo CD and Flux as their Go modules ship them. No copy of either is kept here.

`python -m tests.support.gitops_crds` downloads them before the tests: no test may take so long.
"""

import json
from pathlib import Path

from dev.cluster import commands, programs

MODULES = {
    "github.com/argoproj/argo-cd/v3@v3.5.7": (
        "h1:Xm1BF+I5OgDKUG3SDK49vn2/Y5AMyaNVko+/JT08gj0=",
        "manifests/crds/application-crd.yaml",
    ),
    "github.com/fluxcd/kustomize-controller@v1.9.6": (
        "h1:XB+G3A0mky0j5uVHZWv4oSlS2RvZBoNIUhstIvY0JKE=",
        "config/crd/bases",
    ),
    "github.com/fluxcd/source-controller@v1.9.6": (
        "h1:nG534/bI6nVpyHra7ONAk6xDB3xPsVT+EOLHZHXPrrc=",
        "config/crd/bases",
    ),
}
"""By module and version: the hash of its content, and where its CRDs are."""


def crds() -> list[Path]:
    """Files and directories with CRDs, downloaded if need be. Raises ClusterError."""
    return [_crds(module, *what) for module, what in MODULES.items()]


def _crds(module: str, wanted: str, where: str) -> Path:
    told = commands.run(
        "go", "mod", "download", "-json", module, cwd=Path("/"), env=programs.GO_ENVIRONMENT
    )
    found = json.loads(told)
    assert found["Sum"] == wanted, f"{module} has the hash {found['Sum']}, not {wanted}"
    path = Path(found["Dir"]) / where
    assert path.exists(), path
    return path


if __name__ == "__main__":
    crds()
