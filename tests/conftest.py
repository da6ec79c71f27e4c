"""What all tests share: the plugins with the fixtures, and an orderly end."""

import signal

pytest_plugins = [
    "pytester",
    "tests.support.second_try",
    "tests.fix_postgres",
    "tests.fix_cluster",
    "tests.fix_admission",
    "tests.fix_e2e",
    "tests.fix_install",
]

signal.signal(signal.SIGTERM, signal.default_int_handler)
"""As Ctrl-C: whoever ends the tests early wants their control plane and servers to end, too."""
