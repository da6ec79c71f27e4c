"""Changes of a Job's manifest, one word each, for what must be refused."""

from collections.abc import Callable
from typing import Any

Object = dict[str, Any]
Change = Callable[[Object], object]


def of_pod(change: Change) -> Change:
    return lambda obj: change(obj["spec"]["template"]["spec"])


def of_container(**fields: Any) -> Change:
    return of_pod(lambda pod: pod["containers"][0].update(fields))


def of_security(**fields: Any) -> Change:
    return of_pod(lambda pod: pod["containers"][0]["securityContext"].update(fields))


def of_template(**metadata: Any) -> Change:
    return lambda obj: obj["spec"]["template"]["metadata"].update(metadata)


def of_labels(**labels: str | None) -> Change:
    def edit(obj: Object) -> None:
        merged = obj["metadata"]["labels"] | labels
        obj["metadata"]["labels"] = {key: value for key, value in merged.items() if value}

    return edit


def of_job(**spec: Any) -> Change:
    return lambda obj: obj["spec"].update(spec)


def owned(*references: Object) -> Change:
    return lambda obj: obj["metadata"].update(ownerReferences=list(references))


def argument(*words: str) -> Change:
    return of_pod(lambda pod: pod["containers"][0]["args"].extend(words))


def first_words(*words: str) -> Change:
    return of_pod(lambda pod: pod["containers"][0]["args"].__setitem__(slice(0, len(words)), words))


def variable(name: str, **of: Any) -> Change:
    """That variable in its place, or another one at the end."""

    def edit(pod: Object) -> None:
        env = pod["containers"][0]["env"]
        for each in env:
            if each["name"] == name:
                each.clear()
                each.update(name=name, **of)
                return
        env.append({"name": name, **of})

    return of_pod(edit)


def of_cluster(name: str, instead: str) -> Change:
    """All that names the Cluster names another one."""

    def edit(pod: Object) -> None:
        for each in pod["containers"][0]["env"]:
            if each.get("value", "").startswith(f"{instead}-"):
                each["value"] = name + each["value"].removeprefix(instead)
            elif "valueFrom" in each:
                each["valueFrom"]["secretKeyRef"]["name"] = f"{name}-app"
        pod["volumes"][1]["secret"]["secretName"] = f"{name}-ca"

    return of_pod(edit)


def secret(name: str, key: str) -> Object:
    return {"secretKeyRef": {"name": name, "key": key}}


def volume(at: int, **of: Any) -> Change:
    """Of the volumes: work, ca, a ConfigMap, some of one, inline files, inline fixtures."""
    return of_pod(lambda pod: pod["volumes"][at].update(of))


def inside(at: int, source: str, **of: Any) -> Change:
    return of_pod(lambda pod: pod["volumes"][at][source].update(of))


def another(name: str, path: str, **of: Any) -> Change:
    """One more volume, mounted as the others are."""

    def edit(pod: Object) -> None:
        pod["volumes"].append({"name": name, **of})
        mount = {"name": name, "mountPath": path, "readOnly": True}
        pod["containers"][0]["volumeMounts"].append(mount)

    return of_pod(edit)
