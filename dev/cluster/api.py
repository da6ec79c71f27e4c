"""The few questions the cluster asks its own API server, as cluster-admin."""

import http.client
import json
import ssl
from typing import Any

from dev.cluster.errors import ClusterError
from dev.cluster.layout import Layout

ANSWER_SECONDS = 5.0


def get(cluster: Layout, path: str) -> tuple[int, bytes]:
    """Status and body of a GET; status 0 while nobody answers.

    Raises ClusterError when somebody else answers: that does not pass by waiting.
    """
    context = ssl.create_default_context(cafile=str(cluster.pki / "ca.crt"))
    context.load_cert_chain(cluster.pki / "admin.crt", cluster.pki / "admin.key")
    # Not urllib: it would ask the proxy of the environment for 127.0.0.1.
    connection = http.client.HTTPSConnection(
        "127.0.0.1", cluster.api_port, context=context, timeout=ANSWER_SECONDS
    )
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except ssl.SSLCertVerificationError as error:
        raise ClusterError(
            f"the API server on port {cluster.api_port} is not that of cluster {cluster.name} "
            f"({error.verify_message}); delete the cluster and create it again"
        ) from error
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()


def found(cluster: Layout, path: str) -> bool:
    """Whether a GET is answered with 200."""
    return get(cluster, path)[0] == 200


def items(cluster: Layout, path: str) -> list[dict[str, Any]]:
    """The objects of a list, none while nobody answers."""
    status, body = get(cluster, path)
    return list(json.loads(body)["items"]) if status == 200 else []
