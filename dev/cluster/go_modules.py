"""Files of the Go modules that are pinned below `modules/`. No copy of any is kept here."""

from pathlib import Path

from dev.cluster import programs, versions
from dev.cluster.errors import ClusterError
from dev.cluster.progress import Step


def source(folder: str, module: str) -> Path:
    """The directory of a module, downloaded if need be; `folder` below `modules/` pins it.

    Raises ClusterError.
    """
    place = versions.MODULES / folder
    where = ("list", "-mod=readonly", "-m", "-f", "{{.Dir}}", module)
    if not (found := programs.go(*where, module=place)):
        with Step(f"downloading {module}") as step:
            command = ("go", "mod", "download", module)
            step.run(*command, cwd=place, **programs.GO_ENVIRONMENT)
        found = programs.go(*where, module=place)
    return Path(found)


def part(folder: str, module: str, path: str) -> Path:
    """A file or directory of a module. Raises ClusterError when it is not there."""
    found = source(folder, module) / path
    if not found.exists():
        raise ClusterError(f"no {found}: the module is incomplete; run: go clean -modcache")
    return found
