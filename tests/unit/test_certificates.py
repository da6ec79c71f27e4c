"""Whether the pooler serves the certificates of its Cluster, and what makes it do so."""

from typing import Any

import pytest

from daap_operator import names
from daap_operator.kinds.database import trim
from daap_operator.kinds.database.certificates import authority_differs, mark, server_differs
from daap_operator.kinds.database.observed import observe
from daap_operator.kinds.database.seen import Children
from tests.unit import builders

Object = dict[str, Any]


def versions(authority: str, server: str) -> Object:
    return {
        "secretsResourceVersion": {
            "applicationSecretVersion": "11",
            "serverCaSecretVersion": authority,
            "serverSecretVersion": server,
        }
    }


def served(authority: str, server: str, prefix: str = "daap-orders") -> Object:
    return {
        "secrets": {
            "serverCA": {"name": f"{prefix}-ca", "version": authority},
            "clientTLS": {"name": f"{prefix}-server", "version": server},
        }
    }


def pair(cluster: Object, pooler: Object, **metadata: Any) -> tuple[Object, Object]:
    """As the cache has them: what is trimmed away cannot be compared."""
    return (
        trim.cluster(builders.cluster(cluster)),
        trim.pooler(builders.pooler(pooler, **metadata)),
    )


@pytest.mark.parametrize(
    ("pooler", "authority", "server"),
    [
        (served("12", "13"), False, False),
        (served("2", "13"), True, False),
        (served("12", "3"), False, True),
        (served("2", "3"), True, True),
        (served("2", "3", prefix="own"), False, False),
        ({}, False, False),
        ({"secrets": None}, False, False),
        ({"secrets": {"serverCA": "?", "clientTLS": [1]}}, False, False),
    ],
)
def test_versions_are_compared_of_the_secrets_that_cloudnativepg_makes(
    pooler: Object, authority: bool, server: bool
) -> None:
    seen = pair(versions("12", "13"), pooler)
    assert (authority_differs(*seen), server_differs(*seen)) == (authority, server)


def test_nothing_is_compared_while_either_is_missing() -> None:
    cluster, pooler = pair(versions("12", "13"), served("2", "3"))
    for seen in ((None, pooler), (cluster, None), (None, None)):
        assert not authority_differs(*seen)
        assert not server_differs(*seen)
        assert mark(*seen) == ""


@pytest.mark.parametrize(
    ("cluster", "pooler"),
    [
        ({"secretsResourceVersion": None}, served("2", "3")),
        (versions("", ""), served("2", "3")),
        (versions("12", "13"), served("", "")),
    ],
)
def test_nothing_is_compared_while_either_tells_no_version(cluster: Object, pooler: Object) -> None:
    found = pair(cluster, pooler)
    assert (authority_differs(*found), server_differs(*found)) == (False, False)
    assert mark(*found) == ""


def test_a_difference_has_a_mark_and_the_mark_stays_when_it_is_over() -> None:
    assert mark(*pair(versions("12", "13"), served("12", "13"))) == ""
    assert mark(*pair(versions("12", "13"), served("12", "3"))) == "12.13"
    told = {"annotations": {names.CERTIFICATES: "12.13"}}
    assert mark(*pair(versions("12", "13"), served("12", "13"), **told)) == "12.13"
    assert mark(*pair(versions("22", "23"), served("12", "13"), **told)) == "22.23"


def seen(cluster: Object, pooler: Object) -> Any:
    children = Children(builders.cluster(cluster), builders.pooler(pooler), builders.deployment())
    return observe(children, instances=1, poolers=1, image=builders.IMAGE)


def test_a_pooler_with_a_certificate_of_the_authority_before_does_not_serve() -> None:
    observed = seen(versions("12", "13"), served("2", "3"))
    assert observed.awaited.reason == "CertificatePending"
    assert "daap-orders-pooler" in observed.awaited.message


def test_a_renewed_certificate_of_the_same_authority_interrupts_nobody() -> None:
    observed = seen(versions("12", "13"), served("12", "3"))
    assert observed.serving
    assert "certificate" in observed.unsettled
    assert not seen(versions("12", "13"), served("12", "13")).unsettled
