"""`/metrics` as Prometheus reads it."""

from prometheus_client.parser import text_string_to_metric_families

from daap_operator.run import Operator
from tests.support.http import probe

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
    """Read the page once."""
    status, text = await probe(operator, "/metrics")
    assert status == 200
    return Page(text)
