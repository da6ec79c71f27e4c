"""`python -m daap_operator`: the same as the command `daap-operator`."""

import sys

from daap_operator.cli import main

sys.exit(main())
