"""A port of a Service, reached from this machine through kubectl."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from pytest_kind import KindCluster

LISTENS = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+)")


@contextmanager
def forwarded(cluster: KindCluster, namespace: str, service: str, port: int) -> Iterator[int]:
    """The port of this machine that leads to a Service's; open while the context lasts."""
    command = [cluster.kubectl_path, "port-forward", f"--namespace={namespace}"]
    process = subprocess.Popen(
        [*map(str, command), f"service/{service}", f":{port}"],
        env={"KUBECONFIG": str(cluster.kubeconfig_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        try:
            assert process.stdout
            said = process.stdout.readline()
            found = LISTENS.search(said)
            assert found, said
            yield int(found[1])
        finally:
            process.terminate()
