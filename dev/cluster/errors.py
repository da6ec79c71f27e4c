"""The one exception of the cluster: what a user of the command line can repair."""


class ClusterError(Exception):
    """A foreseeable fault. Its text names what is missing or wrong and the step that repairs it.

    The command line prints it without a traceback; anything else that escapes is a bug.
    """
