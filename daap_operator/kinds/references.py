"""Which database an object refers to, as every kind that refers to one has it. Pure."""

from daap_operator import raw


def database_of(obj: raw.Object) -> tuple[str, str]:
    """The namespace and the name of the DaapDatabase in `spec.databaseRef`."""
    namespace = raw.text(obj, "metadata", "namespace")
    return namespace, raw.text(obj, "spec", "databaseRef", "name")
