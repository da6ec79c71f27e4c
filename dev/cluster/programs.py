"""The Go programs of the cluster: found in `KUBEBUILDER_ASSETS`, else built once.

A program is cached under a key of all that it is built from, so another version never meets it.
"""

import hashlib
import os
import platform
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dev.cluster import commands, paths, versions
from dev.cluster.errors import ClusterError
from dev.cluster.progress import Step, say

GO_FLAGS = ("-trimpath", "-mod=readonly", "-buildvcs=false")
GO_ENVIRONMENT = {"CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": ""}
PACKAGE_BYTES = 2 * 1024**2
"""What Go's cache takes per compiled package (measured: 1.1 MiB on average)."""
PROGRAM_BYTES = 150 * 1024**2
"""The largest program, and its parts while it is linked."""

ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
"""This machine in Go's and Debian's words."""


@dataclass(frozen=True)
class Program:
    """One main package of a Go module below `modules/`."""

    name: str
    module: str
    package: str
    link_flags: str = "-s -w"
    tags: str = ""

    @property
    def flags(self) -> tuple[str, ...]:
        """How go is to read and compile it; the linker's flags apart."""
        return (*GO_FLAGS, f"-tags={self.tags}") if self.tags else GO_FLAGS


def _kubernetes(name: str) -> Program:
    version = "k8s.io/component-base/version"
    major, minor = versions.KUBERNETES.removeprefix("v").split(".")[:2]
    # Without these the API server calls itself v0.0.0-master and clients refuse features.
    stamps = {
        "gitVersion": versions.KUBERNETES,
        "gitMajor": major,
        "gitMinor": minor,
        "gitTreeState": "clean",
    }
    flags = " ".join(f"-X {version}.{key}={value}" for key, value in stamps.items())
    return Program(name, "kubernetes", f"k8s.io/kubernetes/cmd/{name}", f"-s -w {flags}")


def _containerd(name: str) -> Program:
    """Debian's would mount no images: that takes 2.1. Snapshots are overlays, and nothing else."""
    package = f"github.com/containerd/containerd/v2/cmd/{name}"
    return Program(name, "containerd", package, tags="no_btrfs,no_devmapper,no_zfs")


PROGRAMS = {
    program.name: program
    for program in (
        Program("etcd", "etcd", "go.etcd.io/etcd/server/v3"),
        _kubernetes("kube-apiserver"),
        _kubernetes("kube-controller-manager"),
        _kubernetes("kubectl"),
        _kubernetes("kube-scheduler"),
        _kubernetes("kubelet"),
        _kubernetes("kube-proxy"),
        _containerd("containerd"),
        _containerd("containerd-shim-runc-v2"),
        _containerd("ctr"),
        Program("coredns", "coredns", "github.com/coredns/coredns"),
        Program(
            "manager",
            "cnpg",
            f"{versions.CNPG_MODULE}/cmd/manager",
            f"-s -w -X {versions.CNPG_MODULE}/pkg/versions.buildVersion={versions.CNPG}",
        ),
        Program(
            "plugin-barman-cloud",
            "plugin-barman-cloud",
            f"{versions.BARMAN_MODULE}/cmd/manager",
        ),
        Program("versitygw", "versitygw", f"{versions.VERSITYGW_MODULE}/cmd/versitygw"),
        Program(
            "kube-network-policies",
            "kube-network-policies",
            "sigs.k8s.io/kube-network-policies/cmd",
        ),
        Program("helm", "helm", "helm.sh/helm/v4/cmd/helm"),
        Program("kind", "kind", "sigs.k8s.io/kind"),
        Program(
            "promtool",
            "promtool",
            "github.com/prometheus/prometheus/cmd/promtool",
            tags="remove_all_sd",  # every cloud's SDK, half of the time that the build takes
        ),
        Program("kro", "kro", f"{versions.KRO_MODULE}/cmd/controller"),
    )
}
CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kubectl")
CONTAINERD = ("containerd", "containerd-shim-runc-v2", "ctr")
NODE = ("kube-scheduler", "kubelet", "kube-proxy", "coredns", "manager", *CONTAINERD)
"""What a node needs beside the control plane."""
BACKUP = ("plugin-barman-cloud", "versitygw")
"""What backups need beside a node; the others are built only when asked for."""


def key(program: Program, go_mod: bytes, go_sum: bytes) -> str:
    """The cache key of a program: it changes with every input of its build."""
    flags = " ".join((*program.flags, program.link_flags, program.package))
    digest = hashlib.sha256()
    for part in (go_mod, go_sum, flags.encode()):
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:12]


def cached(name: str) -> Path:
    """Where the program is, or will be, in the cache. Raises ClusterError for an unknown name."""
    if name not in PROGRAMS:
        raise ClusterError(f"unknown program {name}; known are: {', '.join(PROGRAMS)}")
    program = PROGRAMS[name]
    module = versions.MODULES / program.module
    stamp = key(program, (module / "go.mod").read_bytes(), (module / "go.sum").read_bytes())
    return paths.cache() / "programs" / stamp / name


def asset(name: str) -> Path | None:
    """The program in the directory of `KUBEBUILDER_ASSETS`, None when it is not there.

    Raises ClusterError when the variable names no directory: a typing error must not cost a build.
    """
    if not (chosen := os.environ.get("KUBEBUILDER_ASSETS")):
        return None
    directory = Path(chosen).expanduser()
    if not directory.is_dir():
        raise ClusterError(
            f"KUBEBUILDER_ASSETS={chosen} is not a directory; unset it, or run: setup-envtest use"
        )
    program = directory / name
    return program.resolve() if os.access(program, os.X_OK) else None


def control_plane() -> dict[str, Path]:
    """The control plane's programs by name: those in `KUBEBUILDER_ASSETS`, the others built."""
    assets = {name: path for name in CONTROL_PLANE if (path := asset(name))}
    if assets:
        say(f"using {', '.join(assets)} from KUBEBUILDER_ASSETS={os.environ['KUBEBUILDER_ASSETS']}")
    return build(name for name in CONTROL_PLANE if name not in assets) | assets


def build(names: Iterable[str]) -> dict[str, Path]:
    """The cached programs by name; those not cached are built first, one after the other.

    Raises ClusterError when Go is missing or too old, the disk is full or a build fails.
    """
    programs = {name: cached(name) for name in names}
    absent = [name for name, path in programs.items() if not path.exists()]
    if absent:
        say(
            f"building {', '.join(absent)} into {paths.cache() / 'programs'}; this happens once, "
            "and takes minutes when Go has not built them before"
        )
        for module in sorted({PROGRAMS[name].module for name in absent}):
            _require_go(versions.MODULES / module)
    for number, name in enumerate(absent, start=1):
        title = f"building {name} ({number} of {len(absent)})"
        with paths.lock(
            paths.cache() / "locks" / f"{name}-{programs[name].parent.name}",
            f"waiting for another build of {name}",
        ):
            if not programs[name].exists():
                _go_build(PROGRAMS[name], programs[name], title)
    return programs


def go(*words: str | Path, module: Path) -> str:
    """The output of a go command in a module's directory. Raises ClusterError."""
    return commands.run("go", *words, cwd=module, env=GO_ENVIRONMENT).strip()


def _require_go(module: Path) -> None:
    wanted = re.search(r"^go (\S+)", (module / "go.mod").read_text(), re.MULTILINE)
    needed = wanted[1] if wanted else "1.26"
    # Go 1.21 and newer fetch the toolchain that go.mod asks for, so ask inside the module.
    try:
        found = go("env", "GOVERSION", module=module)
    except ClusterError as error:
        if "is not installed" in str(error):
            raise
        raise ClusterError(f"Go {needed} or newer is needed ({error})") from error
    if _numbers(found) < _numbers(needed):
        raise ClusterError(
            f"Go {needed} or newer is needed, this is {found or 'unknown'}: "
            "install it (https://go.dev/dl)"
        )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)[:3]))


def _require_space(stale: int, module: Path) -> None:
    needed = stale * PACKAGE_BYTES + PROGRAM_BYTES
    for directory in (paths.cache(), Path(go("env", "GOCACHE", module=module))):
        paths.require_space(directory, needed, "building the cluster's programs")


def _go_build(program: Program, target: Path, title: str) -> None:
    module = versions.MODULES / program.module
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".partial")
    flags = (*program.flags, f"-ldflags={program.link_flags}")
    with Step(title) as step:
        step.detail = "looking at its packages"
        step.total = _stale(program, step)
        _require_space(step.total, module)
        command: tuple[str | Path, ...] = (
            "go",
            "build",
            "-v",
            *flags,
            "-o",
            partial,
            program.package,
        )

        def line(text: str) -> None:
            # Only packages are parts: go also prints what it downloads.
            if is_package(text):
                step.advance(text)

        commands.watch(command, line=line, tick=step.tick, cwd=module, env=GO_ENVIRONMENT)
    partial.rename(target)


def is_package(line: str) -> bool:
    """Whether a line of `go build -v` names a package it compiles."""
    return bool(re.fullmatch(r"[\w.~/-]+", line)) and not line.startswith("go:")


def _stale(program: Program, step: Step) -> int:
    """How many packages go has yet to compile; downloads the module's files on the way."""
    stale = 0

    def line(text: str) -> None:
        nonlocal stale
        if text.startswith("go: downloading"):
            step.detail = text.removeprefix("go: ")
        stale += text == "true"

    command = ("go", "list", *program.flags, "-deps", "-f", "{{.Stale}}", program.package)
    commands.watch(
        command,
        line=line,
        tick=step.tick,
        cwd=versions.MODULES / program.module,
        env=GO_ENVIRONMENT,
    )
    return stale
