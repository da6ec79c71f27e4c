"""What a team does: apply a file, wait until the database answers, connect."""

import textwrap
import time
from typing import Any

from dev.cluster.errors import ClusterError
from dev.cluster.progress import say
from dev.demo import places
from dev.demo.kubectl import apply, get, kubectl, program_name

READY_SECONDS = 300.0
QUERY_SECONDS = 120

SQL = """
SELECT 'connected to ' || current_database() || ' as ' || current_user || ', PostgreSQL '
       || current_setting('server_version');
CREATE TABLE IF NOT EXISTS visits (at timestamptz DEFAULT now());
INSERT INTO visits DEFAULT VALUES;
SELECT 'rows written so far: ' || count(*) FROM visits;
"""


def ask_for_database() -> None:
    """Apply the example."""
    apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": places.NAMESPACE}})
    say(f"\n$ kubectl apply --namespace {places.NAMESPACE} --filename examples/database.yaml")
    say(textwrap.indent(_without_comments(places.EXAMPLE.read_text()), "    "))
    kubectl("apply", f"--namespace={places.NAMESPACE}", f"--filename={places.EXAMPLE}")


def wait_until_ready() -> dict[str, Any]:
    """Show the phases as they pass. Raises ClusterError when somebody has to act."""
    started = time.monotonic()
    told = ""
    while True:
        status: dict[str, Any] = get("daapdatabase", places.DATABASE).get("status", {})
        conditions = {c["type"]: c for c in status.get("conditions", [])}
        ready = conditions.get("Ready", {})
        news = f"{status.get('phase', 'Pending'):<14}{ready.get('message', '')}"
        elapsed = time.monotonic() - started
        if news != told:
            say(f"  {elapsed:3.0f} s  {news}")
            told = news
        if ready.get("status") == "True":
            return status
        if "Stalled" in conditions or elapsed > READY_SECONDS:
            raise ClusterError(
                f"the database does not become ready: {ready.get('message', 'no status')}\n"
                f"the operator's log: {places.operator_log()}"
            )
        time.sleep(0.5)


def query(secret: str) -> None:
    """Connect from a pod through what the Secret says, with the certificate verified."""
    namespace = f"--namespace={places.NAMESPACE}"
    kubectl("delete", "pod", "client", namespace, "--ignore-not-found", "--grace-period=0")
    apply(_client(secret))
    phase = "--for=jsonpath={.status.phase}=Succeeded"
    try:
        kubectl("wait", phase, "pod/client", namespace, f"--timeout={QUERY_SECONDS}s")
    except ClusterError as error:
        logs = kubectl("logs", "client", namespace, "--ignore-errors")
        raise ClusterError(f"the client did not get through: {logs or error}") from error
    say(f'\n$ psql "$uri"      # in a pod, uri and ca.crt from the Secret {secret}')
    say(textwrap.indent(kubectl("logs", "client", namespace).strip(), "    "))


def _client(secret: str) -> dict[str, Any]:
    entries = [
        {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}
        for name, key in (("URI", "uri"), ("AUTHORITY", "ca.crt"))
    ]
    script = (
        'printf "%s" "$AUTHORITY" > /tmp/ca.crt && '
        'psql "$URI" --no-psqlrc --tuples-only --no-align --quiet --set=ON_ERROR_STOP=1 '
        '--command="$SQL"'
    )
    verify = [
        {"name": "PGSSLROOTCERT", "value": "/tmp/ca.crt"},
        {"name": "SQL", "value": SQL},
    ]
    container = {
        "name": "client",
        "image": places.IMAGE,
        "command": ["sh", "-c", script.replace('"$URI"', '"${URI%=require}=verify-full"')],
        "env": [*entries, *verify],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "client", "namespace": places.NAMESPACE},
        # The host's Service leads somewhere a moment after the pods behind it are ready
        "spec": {"restartPolicy": "OnFailure", "containers": [container]},
    }


def show(inventory: str) -> None:
    """What the cluster says, and the inventory's rows."""
    say("\n$ kubectl get daapdatabases --all-namespaces --output wide")
    say(textwrap.indent(kubectl("get", "daapdatabases", "-A", "-o", "wide").strip(), "    "))
    say("\n$ psql      # the platform's inventory")
    say(textwrap.indent(inventory, "    "))


def suggest(more: str) -> None:
    """What to try next, ready to paste."""
    kubectl = program_name()
    place = f"{places.DATABASE} --namespace {places.NAMESPACE}"
    two = '{"spec":{"instances":2}}'
    say(
        f"""
All of it is running. Try next:

    export KUBECONFIG={places.kubeconfig()}
    {kubectl} describe daapdatabase {place}
    {kubectl} patch daapdatabase {place} --type merge --patch '{two}'
    {kubectl} delete pooler daap-{places.DATABASE}-pooler -n {places.NAMESPACE}   # comes back
    {kubectl} explain daapdatabase.spec
    {more}
    make demo-clean   # when you have seen enough
"""
    )


def _without_comments(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.startswith("#"))
