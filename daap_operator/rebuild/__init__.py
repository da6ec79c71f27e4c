"""`daap-operator rebuild`: manifests for the databases of a Kubernetes cluster that is lost.

From the inventory alone, which outlives the cluster: each database's spec, and where its archive
is. Whatever the inventory does not know is listed.

    plan      which manifests, and what they lack: pure
    text      the file that is applied, and the list for people: pure
    command   what people call

Nothing here asks an API server, and nothing is written but the file.
"""

from daap_operator.rebuild.command import add_arguments, main

__all__ = ["add_arguments", "main"]
