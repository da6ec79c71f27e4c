"""Why a try to restore has failed, read from the logs of its pod: for every kind that asks."""

from contextlib import suppress

from daap_operator.kinds.recovery_log import CONTAINER, SIDECAR, is_hidden, sidecar_words, words
from daap_operator.kube import ApiError, Requests


async def why_failed(kube: Requests, namespace: str, pod: str) -> str:
    """Why it has failed, fit to be passed on; empty when the logs do not tell.

    The plugin's sidecar is asked where CloudNativePG has but its exit code: one request more. That
    this log is refused leaves the exit code; raises Outage when the API server does not answer.
    """
    said = words(await kube.log(namespace, pod, CONTAINER))
    if is_hidden(said):
        with suppress(ApiError):
            said = sidecar_words(await kube.log(namespace, pod, SIDECAR)) or said
    return said
