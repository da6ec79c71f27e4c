"""`/metrics` as Prometheus reads it."""

from functools import cache

from prometheus_client.parser import text_string_to_metric_families

from daap_operator.run import Operator
from tests.support.api import Api, Object
from tests.support.helm import only, render
from tests.support.http import metrics
from tests.support.kinds import kind_of

Labels = tuple[tuple[str, str], ...]


class Page:
    """One reading of `/metrics`."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._samples: dict[tuple[str, Labels], float] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                labels = tuple(sorted(sample.labels.items()))
                self._samples[sample.name, labels] = sample.value

    def value(self, metric: str, /, **labels: str) -> float | None:
        """One series; None when there is none."""
        return self._samples.get((metric, tuple(sorted(labels.items()))))

    def sum(self, metric: str, /, **labels: str) -> float:
        """All series of a name with these labels."""
        return sum(
            value
            for (found, all_labels), value in self._samples.items()
            if found == metric and labels.items() <= dict(all_labels).items()
        )


async def scrape(operator: Operator) -> Page:
    """Read the page once; it may be a second old."""
    status, text = await metrics(operator)
    assert status == 200
    return Page(text)


async def scraper(api: Api, namespace: str, *, allowed: bool = True) -> str:
    """The token of an account in the namespace that may read the metrics, or of one that may not.

    Its rights are the chart's; `remove_scraper` takes them away.
    """
    name = f"{namespace}-{'reader' if allowed else 'other'}"
    account = {"metadata": {"name": name, "namespace": namespace}}
    await api.create("serviceaccounts", account)
    if allowed:
        for obj in _reader(namespace, name):
            await api.create(kind_of(obj), obj)
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"
    made = await api.call("POST", path, {"spec": {}})
    return str(made["status"]["token"])


async def remove_scraper(api: Api, namespace: str) -> None:
    """Take the rights of the namespace's reader away."""
    for obj in reversed(_reader(namespace, f"{namespace}-reader")):
        await api.delete(kind_of(obj), "", obj["metadata"]["name"])


def _reader(namespace: str, name: str) -> list[Object]:
    """The chart's role of who may read the metrics, and its binding."""
    role, binding = _shipped_reader()
    subject = {"kind": "ServiceAccount", "name": name, "namespace": namespace}
    made = {"metadata": {"name": name}}
    return [
        role | made,
        binding | made | {"roleRef": binding["roleRef"] | {"name": name}, "subjects": [subject]},
    ]


@cache
def _shipped_reader() -> tuple[Object, Object]:
    """The same as the chart has them. Not to be changed."""
    objects = render({"monitoring": {"podMonitor": {"enabled": True}}})
    role = only(objects, "ClusterRole", "daap-operator-metrics-reader")
    return role, only(objects, "ClusterRoleBinding", "daap-operator-metrics-reader")
