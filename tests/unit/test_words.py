"""What others said: of addresses and users nothing is left, and of everything else all."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daap_operator.kube.words import HIDDEN, quotable
from tests.support.steps import cpu_seconds, steps

SAID: dict[str, tuple[str, tuple[str, ...]]] = {
    "a webhook that is away": (
        (
            'failed calling webhook "mcluster.cnpg.io": failed to call webhook: Post '
            '"https://cnpg-webhook-service.cnpg-system.svc:443/mutate?timeout=10s": dial tcp '
            "10.96.3.4:443: connect: connection refused"
        ),
        ("cnpg-system", "10.96.3.4", ":443", "https"),
    ),
    "IPv6": (
        "dial tcp [fd00:10:96::1]:6443: i/o timeout; from fd00::a:b, and ::1.",
        ("fd00", "6443", "::1"),
    ),
    "a resolver": (
        "lookup hooks.platform.svc.cluster.local on 10.96.0.10:53: no such host",
        ("platform", "cluster.local", "10.96.0.10", ":53"),
    ),
    "the operator's own user": (
        (
            'clusters is forbidden: User "system:serviceaccount:daap-system:daap-operator" cannot '
            "create resource"
        ),
        ("daap-system", "serviceaccount"),
    ),
    "the API server": (
        (
            "Cannot connect to host api.internal.example:6443 ssl:default [Connect call failed "
            "('172.18.0.2', 6443)]"
        ),
        ("api.internal", "172.18.0.2"),
    ),
    "a signed URL": (
        (
            "PUT https://store.example:9000/b/k?X-Amz-Credential=KEY/20260301&X-Amz-Signature=f00,f1;"
            "sig=(zz)a: 403 Forbidden"
        ),
        ("store.example", "KEY", "f00", "f1", "sig", "zz"),
    ),
    "a policy that quotes a mask": ("10.1.0.0/16 is reserved for 10.1.2.3", ("10.1.",)),
}

HARMLESS = (
    (
        'Cluster.postgresql.cnpg.io "daap-orders" is invalid: spec.storage.size: '
        'Invalid value: "1Gi": must not shrink'
    ),
    "exceeded quota: pods, requested: count/clusters.postgresql.cnpg.io=1, used: 0, limited: 0",
    "at 12:30:45 of 2026-03-01T12:00:00Z: Invalid value: 3: must be 1, 2 or 4",
    "spec.imageName: ghcr.io/cloudnative-pg/postgresql:17.5-standard-trixie is not known",
    "a: x::text, version 1.30.0, a.b.c and 1.2.3",
    "",
)


@pytest.mark.parametrize(("said", "secret"), SAID.values(), ids=SAID)
def test_addresses_and_users_are_left_out(said: str, secret: tuple[str, ...]) -> None:
    told = quotable(said)
    assert HIDDEN in told
    for word in secret:
        assert word not in told


@pytest.mark.parametrize("said", HARMLESS)
def test_what_speaks_of_the_object_stays(said: str) -> None:
    assert quotable(said) == said


@given(st.ip_addresses(), st.sampled_from(["{}", "to {}:443 x", "({})", "'{}'", "from {}, and"]))
def test_no_address_is_left(address: object, text: str) -> None:
    written = f"[{address}]" if ":" in str(address) and ":443" in text else str(address)
    assert str(address) == "::" or str(address) not in quotable(text.format(written))


def test_of_a_long_text_the_beginning_is_left_up_to_a_space() -> None:
    told = quotable("word " * 800 + "10.0.0.1 " * 20_000)
    assert told.startswith("word word")
    assert "10.0" not in told
    assert quotable("x" * 9000) == "x" * 4096


@pytest.mark.parametrize("word", ["1.1 ", "::1.a ", "a:b:c: ", "f:f "])
def test_twice_the_text_is_no_more_work(word: str) -> None:
    once, twice = (steps(partial(quotable, word * times)) for times in (5_000, 10_000))
    assert once == twice


@pytest.mark.timeout(60)
@pytest.mark.parametrize("text", ["1.", ":", "a:", "f:f:", "x://", "1.1.1.", "a.", "system:a", "["])
def test_however_long_it_is_it_takes_no_time(text: str) -> None:
    """Twice the text, at most some times the time."""

    def seconds(times: int) -> float:
        return cpu_seconds(lambda: quotable(text * times), 0.5)

    assert seconds(40_000) < 3 * seconds(20_000) + 0.5
