"""A control plane without a node: etcd, kube-apiserver, kube-controller-manager. Needs no root.

All is real (admission, garbage collection, namespaces, RBAC), only that no pod ever runs.
"""

import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from dev.cluster import api, command_lines, commands, homes, kubeconfig, pki, ports, programs
from dev.cluster.certificates import certify
from dev.cluster.errors import ClusterError
from dev.cluster.layout import Layout
from dev.cluster.processes import Processes, Record

PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager")
START_SECONDS = 90.0
"""How long a program may take to answer; some seconds when the machine has nothing else to do."""
STOP_SECONDS = 5.0


def create(
    name: str,
    *,
    audit: bool = False,
    flags: Mapping[str, Sequence[str]],
    owner: int | None = None,
) -> Layout:
    """Create a plane that belongs to the process `owner`; to none, it lives until it is deleted.

    Raises ClusterError as `ControlPlane.create`.
    """
    if unknown := set(flags) - set(PROGRAMS):
        raise ClusterError(f"flags for {min(unknown)}, but there are only {', '.join(PROGRAMS)}")
    homes.require_free(name)  # before minutes of building
    built = programs.control_plane()
    with homes.claim(name) as directory:
        if owner:
            (directory / homes.OWNER).write_text(Record.of(owner, "owner").line())
        cluster = homes.plan(name, kubectl=built["kubectl"], audit=audit, flags=flags)
        ControlPlane(cluster).launch(built)
    return cluster


class ControlPlane:
    """A running control plane; as a context manager it is deleted at the end.

    Made by `create`. A plane belongs to the Python process that made it: once that is gone, however
    it ended, the next `create` under the name and `dev/kind delete cluster` clear what it left.
    """

    def __init__(self, cluster: Layout) -> None:
        self._layout = cluster
        self._authority = pki.Authority(cluster.pki)
        self._processes = Processes(cluster.directory)

    @classmethod
    def create(
        cls, name: str, *, audit: bool = False, flags: Mapping[str, Sequence[str]] | None = None
    ) -> Self:
        """Build what is missing, start, and wait until the plane is usable.

        `audit` writes `audit_log`; `flags` are further flags by program. Raises ClusterError when a
        plane of the name runs for a living owner, or a program cannot be built or does not start.
        """
        return cls(create(name, audit=audit, flags=flags or {}, owner=os.getpid()))

    def launch(self, built: Mapping[str, Path]) -> None:
        """Start the programs in order and wait for each. What started is stopped on any error."""
        cluster = self._layout
        try:
            certify(cluster)
            if cluster.audit:
                (cluster.directory / "audit-policy.json").write_text(command_lines.audit_policy())
            for name, flags in command_lines.control_plane(cluster).items():
                self._processes.start(name, built[name], flags)
                self._wait(name)
            self._processes.wait(
                "the default service account",
                lambda: api.found(cluster, "/api/v1/namespaces/default/serviceaccounts/default"),
                seconds=START_SECONDS,
                needs=PROGRAMS,
            )
        except BaseException:
            self._processes.stop(how=signal.SIGKILL)
            raise

    @property
    def name(self) -> str:
        """The name it was created with."""
        return self._layout.name

    @property
    def server(self) -> str:
        """The API server's address, `https://127.0.0.1:PORT`."""
        return self._layout.server

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig of a cluster-admin."""
        return self._layout.kubeconfig()

    @property
    def audit_log(self) -> Path:
        """One JSON document a finished request, level Metadata; only with `audit=True`.

        A line may come some milliseconds after its answer.
        """
        if not self._layout.audit:
            raise ClusterError(f"{self.name} has no audit log: create it with audit=True")
        return self._layout.audit_log

    def kubectl(self, *args: str, input: str | None = None) -> str:  # noqa: A002 - as subprocess
        """The output of kubectl as cluster-admin; `input` is its stdin. Raises ClusterError."""
        # Its cache lies beside: a later plane on the same port knows other resources.
        places = (
            f"--kubeconfig={self.kubeconfig}",
            f"--cache-dir={self._layout.directory}/kubectl",
        )
        return commands.run(self._layout.kubectl, *places, *args, text=input)

    def user_kubeconfig(self, user: str, groups: Sequence[str] = ()) -> Path:
        """The kubeconfig of any user, who is made known by a client certificate.

        The user has no rights before a RoleBinding gives some. Written once per user and groups.
        """
        name = pki.file_name(user, groups)
        path = self._layout.kubeconfig(name)
        if not path.exists():
            self._authority.issue(name, pki.subject(user, groups))
            kubeconfig.write(path, self.name, self.server, authority=self._authority, issued=name)
        return path

    def stop(self, program: str, how: signal.Signals = signal.SIGTERM) -> None:
        """Signal one of the programs and wait until it is gone.

        What has not ended after 5 s is killed: open watches keep an API server alive for a minute.
        Raises ClusterError for a program the plane does not have.
        """
        self._require(program)
        self._processes.stop([program], how=how, seconds=STOP_SECONDS)

    def start(self, program: str) -> None:
        """Start a stopped program with the flags and port it had; returns once it answers."""
        self._require(program)
        if not self._processes.live([program]):
            self._processes.restart(program)
        self._wait(program)

    def delete(self) -> None:
        """End the programs and delete every file; safe to repeat."""
        homes.delete(self.name)

    def _require(self, program: str) -> None:
        if program not in PROGRAMS:
            raise ClusterError(f"no program {program} here; there are {', '.join(PROGRAMS)}")

    def _wait(self, program: str) -> None:
        checks = {
            "etcd": lambda: not ports.free("127.0.0.1", self._layout.etcd_port),
            "kube-apiserver": lambda: api.found(self._layout, "/readyz"),
        }
        check = checks.get(program, lambda: bool(self._processes.live([program])))
        self._processes.wait(f"{program}'s start", check, seconds=START_SECONDS, needs=[program])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.delete()
