"""What the pods of a schema's Job say of themselves. Pure."""

from collections.abc import Iterable

from daap_operator import raw
from daap_operator.kube import words
from daap_operator.lines import quoted
from daap_operator.schema.awaiting import ANOTHER_RUN


def waits(pods: Iterable[raw.Object]) -> str:
    """What a pod of a Job waits for, where that is known; empty: nothing, or there is no pod."""
    for pod in pods:
        for each in raw.items(pod, "status", "containerStatuses"):
            if reason := raw.text(each, "state", "waiting", "reason"):
                said = raw.text(each, "state", "waiting", "message")
                return quoted(words.said(f"{reason} {said}".rstrip()))
        for each in raw.items(pod, "status", "conditions"):
            if raw.text(each, "reason") == "Unschedulable":
                return quoted(words.said(f"Unschedulable: {raw.text(each, 'message')}"))
    return ""


def waits_for_a_run(line: str) -> str:
    """What the last line of a run's log says of the other run that it waits for; else empty."""
    found = quoted(words.said(line.removeprefix("waiting ")))
    return found if line.startswith(ANOTHER_RUN) else ""


def ended(pod: raw.Object, container: str) -> raw.Object:
    """How a container of a pod has ended: the state `terminated`; empty when it has not."""
    for each in raw.items(pod, "status", "containerStatuses"):
        if raw.text(each, "name") == container:
            return raw.mapping(each, "state", "terminated")
    return {}
