"""What others ask of the process over HTTP: probes on one port, metrics on another.

Each port has a thread and an event loop of its own, and limits of its own: however many connect,
the passes, the Lease and the other port go on. What a port has to know of the operator it asks the
operator's own event loop, one question at a time for all who want the answer.

    access    who may read the metrics: the API server's word, remembered for a while
    address   the socket of a port
    budget    how much each address may have; pure
    http      a request and an answer, as bytes; pure
    owner     questions to the operator's own event loop
    places    which connection makes room for another; pure
    probes    `/livez` and `/readyz`: 200 or 503, and the reason into the log
    review    what the API server says of a token
    scrapes   `/metrics`: one page for all who ask at the same time
    server    connections, within limits
    shared    one call at a time, whose result all get who ask meanwhile
    tls       the certificate of a port, renewed while it is served
"""

from daap_operator.ports.access import Access
from daap_operator.ports.address import Address, listen
from daap_operator.ports.http import Answer, Request
from daap_operator.ports.owner import Owner
from daap_operator.ports.probes import Probes
from daap_operator.ports.review import reviewed
from daap_operator.ports.scrapes import Scrapes
from daap_operator.ports.server import METRICS, PROBES, Limits, Port
from daap_operator.ports.tls import Certificate

__all__ = [
    "METRICS",
    "PROBES",
    "Access",
    "Address",
    "Answer",
    "Certificate",
    "Limits",
    "Owner",
    "Port",
    "Probes",
    "Request",
    "Scrapes",
    "listen",
    "reviewed",
]
