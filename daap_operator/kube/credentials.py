"""How to reach the API server: by a kubeconfig, or as a pod."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from kubernetes.aio import client, config
from yaml import YAMLError

from daap_operator.errors import StartError

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")

_UNUSABLE = (config.ConfigException, YAMLError, OSError, ValueError, TypeError, LookupError)
"""What the library raises on a kubeconfig that is not one: it checks little."""


@dataclass(frozen=True)
class Credentials:
    """How to reach the API server, for those who bring their own client."""

    server: str
    insecure: bool
    ca_file: str | None
    ca_data: str | bytes | None
    certificate_file: str | None
    key_file: str | None
    authorization: str | None = field(repr=False)
    """The value of the Authorization header."""


@contextmanager
def usable(kubeconfig: str | None) -> Iterator[None]:
    """Raises StartError for what the library raises within on a kubeconfig that is not one."""
    try:
        yield
    except _UNUSABLE as error:
        where = f"the kubeconfig {kubeconfig}" if kubeconfig else "a kubeconfig"
        raise StartError(
            f"cannot reach the API server by {where}: {' '.join(str(error).split())}; "
            "set KUBECONFIG to a file with a current context, or run in a pod"
        ) from error


async def configuration(kubeconfig: str | None) -> client.Configuration:
    """What a kubeconfig's current context says, or the pod's service account."""
    made = client.Configuration()
    if kubeconfig is None and _in_pod():
        config.load_incluster_config(client_configuration=made)
    else:
        # Named in full: by default the library takes an empty KUBECONFIG for a file's name
        where = kubeconfig or str(Path.home() / ".kube" / "config")
        await config.load_kube_config(where, client_configuration=made)
    # By itself the library has each request look for proxies in the environment and read ~/.netrc,
    # in a thread: a seventh of the operator's CPU. kopf's watches use neither.
    made.client_session_kwargs = {"trust_env": False}
    return made


def _in_pod() -> bool:
    return (SERVICE_ACCOUNT / "token").exists()


def own_namespace() -> str:
    """The pod's namespace; empty outside of a pod."""
    with suppress(OSError):
        return (SERVICE_ACCOUNT / "namespace").read_text().strip()
    return ""
