"""PgBouncer's own certificate: doubted by versions, settled by the keys, told with the remedy."""

from typing import Any

import pytest

from daap_operator.kinds import known
from daap_operator.kinds.database import trim
from daap_operator.kinds.database.certificates import another_authority, login_in_doubt
from daap_operator.kinds.database.logins import LOOK_SECONDS
from tests.unit import builders
from tests.unit.stage import CLUSTER, POOLER, Stage, encoded, ready, setting

Object = dict[str, Any]

OWN = f"{CLUSTER}-pooler"
READ = [f"get Secret {OWN}", f"get Secret {CLUSTER}-ca"]

# An authority, the same one renewed with its key, another one, and two certificates that the first
# has signed; the last does not name its authority's key. Nobody has their private keys.
AUTHORITY = """
-----BEGIN CERTIFICATE-----
MIIBsjCCAVegAwIBAgIUV96j8JZKWhcaL54J96qykDjdJqQwCgYIKoZIzj0EAwIw
JTENMAsGA1UECwwEc2hvcDEUMBIGA1UEAwwLZGFhcC1vcmRlcnMwIBcNMjYxMTI4
MjI0NjU4WhgPMjEyNjExMDQyMjQ2NThaMCUxDTALBgNVBAsMBHNob3AxFDASBgNV
BAMMC2RhYXAtb3JkZXJzMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeiCZTV5E
s5hP9a3oD+saQAnPpB/Q0Ogf8q4nqXYSkzaGVjMHZ0pZV5v8X0m6I18Q9NZXd+DY
sSwWnyL0ux/d5qNjMGEwHQYDVR0OBBYEFEb+YWBhG+rkqt3o8iKx4NGn6yPyMB8G
A1UdIwQYMBaAFEb+YWBhG+rkqt3o8iKx4NGn6yPyMA8GA1UdEwEB/wQFMAMBAf8w
DgYDVR0PAQH/BAQDAgIEMAoGCCqGSM49BAMCA0kAMEYCIQCQMqesn1eAHZrOdU7X
UeaLGXjDI5fnAp0rgca0MbSQsQIhAPengyyzDO05ujfLzIbN/LKJBvse2xaI+9nW
YkslKNWX
-----END CERTIFICATE-----
"""
RENEWED = """
-----BEGIN CERTIFICATE-----
MIIBsTCCAVegAwIBAgIUI+zGztMpRcUgDXi2vf/GgGeyuQAwCgYIKoZIzj0EAwIw
JTENMAsGA1UECwwEc2hvcDEUMBIGA1UEAwwLZGFhcC1vcmRlcnMwIBcNMjYxMTI4
MjI0NzAwWhgPMjEyNjExMDQyMjQ3MDBaMCUxDTALBgNVBAsMBHNob3AxFDASBgNV
BAMMC2RhYXAtb3JkZXJzMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeiCZTV5E
s5hP9a3oD+saQAnPpB/Q0Ogf8q4nqXYSkzaGVjMHZ0pZV5v8X0m6I18Q9NZXd+DY
sSwWnyL0ux/d5qNjMGEwHQYDVR0OBBYEFEb+YWBhG+rkqt3o8iKx4NGn6yPyMB8G
A1UdIwQYMBaAFEb+YWBhG+rkqt3o8iKx4NGn6yPyMA8GA1UdEwEB/wQFMAMBAf8w
DgYDVR0PAQH/BAQDAgIEMAoGCCqGSM49BAMCA0gAMEUCIB5tWIUUIM5s4r71po66
2K7qaIfY2+C+IQaedGJ3JNToAiEA0b3swvRJMHFk18Yh42uICV5oi+tgVWOc4jpX
P34oMbA=
-----END CERTIFICATE-----
"""
ANOTHER = """
-----BEGIN CERTIFICATE-----
MIIBsTCCAVegAwIBAgIUF5lrFcB6DC0K3LZXo6Rav0Uhl6owCgYIKoZIzj0EAwIw
JTENMAsGA1UECwwEc2hvcDEUMBIGA1UEAwwLZGFhcC1vcmRlcnMwIBcNMjYxMTI4
MjI0NjU5WhgPMjEyNjExMDQyMjQ2NTlaMCUxDTALBgNVBAsMBHNob3AxFDASBgNV
BAMMC2RhYXAtb3JkZXJzMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE7uM5PvcF
hd4fzyXuvLz49n4RI7iU9sq2utiQLCFAsubVbsqCjO57WbvDFe/L2uhWGx2Gn865
q6gvrAQ+GP15YKNjMGEwHQYDVR0OBBYEFFMLLFfJbVLr7xG/cYooTokuiW60MB8G
A1UdIwQYMBaAFFMLLFfJbVLr7xG/cYooTokuiW60MA8GA1UdEwEB/wQFMAMBAf8w
DgYDVR0PAQH/BAQDAgIEMAoGCCqGSM49BAMCA0gAMEUCICeLTvSvyKnGH2IUYXWD
EAi9QPBYzZMpC4My+6Hn3DDxAiEAtNqUVJeapzy9OzO18UzfUI7jgujYR/557Kje
jOwmNUY=
-----END CERTIFICATE-----
"""
SIGNED = """
-----BEGIN CERTIFICATE-----
MIIBoTCCAUagAwIBAgIUBRD9TvkagJFVGWsKVU/IqKDd+qkwCgYIKoZIzj0EAwIw
JTENMAsGA1UECwwEc2hvcDEUMBIGA1UEAwwLZGFhcC1vcmRlcnMwIBcNMjYxMTI4
MjI0NzAwWhgPMjEyNjExMDQyMjQ3MDBaMCAxHjAcBgNVBAMMFWNucGdfcG9vbGVy
X3BnYm91bmNlcjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABBQTfPnW3DbPzFdK
4eSNKrhctk4+MERTCCZ5F00c3BXCb89DsKPhdHwkurQVJqHMUN7koTqo/ujHBeKf
3z+AeBijVzBVMB8GA1UdIwQYMBaAFEb+YWBhG+rkqt3o8iKx4NGn6yPyMBMGA1Ud
JQQMMAoGCCsGAQUFBwMCMB0GA1UdDgQWBBQQazj54KAnTIk1ues7kI96Py9YBzAK
BggqhkjOPQQDAgNJADBGAiEA5qH41v+crOH52G7tYTJhd5YPyyvbTwFU4ppDZe1Q
csoCIQCLlUFc/VyAArTb/r2/nVMA9C5yihqxEH1BIRMSTAbuJw==
-----END CERTIFICATE-----
"""
NAMELESS = """
-----BEGIN CERTIFICATE-----
MIIBYDCCAQagAwIBAgIUBRD9TvkagJFVGWsKVU/IqKDd+qowCgYIKoZIzj0EAwIw
JTENMAsGA1UECwwEc2hvcDEUMBIGA1UEAwwLZGFhcC1vcmRlcnMwIBcNMjYxMTI4
MjI0NzAwWhgPMjEyNjExMDQyMjQ3MDBaMCAxHjAcBgNVBAMMFWNucGdfcG9vbGVy
X3BnYm91bmNlcjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABBQTfPnW3DbPzFdK
4eSNKrhctk4+MERTCCZ5F00c3BXCb89DsKPhdHwkurQVJqHMUN7koTqo/ujHBeKf
3z+AeBijFzAVMBMGA1UdJQQMMAoGCCsGAQUFBwMCMAoGCCqGSM49BAMCA0gAMEUC
IQDLt2BQcpNwNC9KD4J34QdPH/v1qhtQcj1XR0rkpW29zwIgUxiepJHPm5SatILY
AhYACO/25d+/2JhTMkLO4pa87lg=
-----END CERTIFICATE-----
"""


@pytest.mark.parametrize(
    ("certificate", "authority", "differs"),
    [
        (SIGNED, AUTHORITY, False),
        (SIGNED, RENEWED, False),
        (SIGNED, ANOTHER, True),
        (SIGNED, ANOTHER + AUTHORITY, True),
        (NAMELESS, ANOTHER, False),
        (SIGNED, NAMELESS, False),
        ("", ANOTHER, False),
        (SIGNED, "", False),
        (SIGNED[:200], ANOTHER, False),
        (SIGNED.replace("MII", "---"), ANOTHER, False),
        (SIGNED.replace("M", "é"), ANOTHER, False),
    ],
)
def test_a_certificate_tells_its_authority_by_the_key(
    certificate: str, authority: str, differs: bool
) -> None:
    assert another_authority(certificate, authority) is differs


@pytest.mark.parametrize(
    ("authority", "own", "name", "doubt"),
    [
        ("9", "10", OWN, None),
        ("10", "9", OWN, ("10", "9")),
        ("10", "9", "somebody-elses", None),
        ("10", "", OWN, None),
        ("", "9", OWN, None),
        ("later", "9", OWN, None),
        ("10", "²", OWN, None),
        ("1" * 5000, "9", OWN, None),
    ],
)
def test_doubt_comes_from_a_certificate_that_is_older_than_its_authority(
    authority: str, own: str, name: str, doubt: tuple[str, str] | None
) -> None:
    cluster = builders.cluster({"secretsResourceVersion": {"clientCaSecretVersion": authority}})
    login = {"authQuery": {"name": name, "version": own}}
    pooler = builders.pooler({"secrets": {"pgBouncerSecrets": login}})
    assert login_in_doubt(trim.cluster(cluster), trim.pooler(pooler)) == doubt
    assert login_in_doubt(None, trim.pooler(pooler)) is None
    assert login_in_doubt(trim.cluster(cluster), None) is None


async def stage_with(authority: str, certificate: str = SIGNED) -> Stage:
    """A database that is ready, whose authority was then made again."""
    stage = await ready()
    secret = {"metadata": {"name": OWN}, "data": {"tls.crt": encoded(certificate)}}
    version(stage, pooler=stage.kube.add(known.SECRET, secret))
    replaced = {"data": {"ca.crt": encoded(authority)}}
    stage.kube.change(known.SECRET, f"{CLUSTER}-ca", lambda obj: obj.update(replaced))
    version(stage, cluster=stage.kube.one(known.SECRET, f"{CLUSTER}-ca"))
    return stage


def version(stage: Stage, *, cluster: Object | None = None, pooler: Object | None = None) -> None:
    """CloudNativePG tells of a Secret: of the authority to the Cluster, of the other to the Pooler.

    `serverCaSecretVersion` stays: the connection Secret is not what this is about.
    """
    if cluster is not None:
        told = {"clientCaSecretVersion": cluster["metadata"]["resourceVersion"]}
        stage.kube.change(
            known.CLUSTER,
            CLUSTER,
            lambda obj: obj["status"]["secretsResourceVersion"].update(told),
        )
    if pooler is not None:
        login = {"name": OWN, "version": pooler["metadata"]["resourceVersion"]}
        status = {"secrets": {"pgBouncerSecrets": {"authQuery": login}}}
        stage.kube.change(known.POOLER, POOLER, setting("status", status))


def read(stage: Stage) -> list[str]:
    """What was asked for of Secrets since the last call."""
    seen = [asked for asked in stage.kube.requests if "Secret" in asked]
    stage.kube.requests.clear()
    return seen


async def test_a_pooler_that_cannot_log_in_is_told_until_its_certificate_is_made_again() -> None:
    stage = await stage_with(ANOTHER)
    again = await stage.look()
    assert again is not None
    assert again <= LOOK_SECONDS
    assert stage.condition("Ready") == ("False", "PoolerCannotLogIn")
    assert stage.condition("Stalled") == ("True", "PoolerCannotLogIn")
    assert f"kubectl delete secret {OWN} --namespace shop" in stage.message()
    assert read(stage) == READ
    await stage.look()
    assert read(stage) == READ  # as long as it lasts: that it is over may be told nowhere
    made_again = {"data": {"tls.crt": encoded(NAMELESS)}}
    stage.kube.change(known.SECRET, OWN, lambda obj: obj.update(made_again))
    await stage.look()
    assert stage.condition("Ready") == ("True", "Ready")
    assert stage.condition("Stalled") is None


async def test_an_authority_renewed_with_its_key_is_looked_at_once() -> None:
    stage = await stage_with(RENEWED)
    await stage.look()
    assert stage.condition("Ready") == ("True", "Ready")
    assert read(stage) == READ
    await stage.look()
    assert read(stage) == []


async def test_nothing_is_settled_by_a_secret_that_is_just_being_made_again() -> None:
    stage = await stage_with(ANOTHER)
    there = stage.kube.one(known.SECRET, OWN)
    stage.kube.delete_object(known.SECRET, OWN)
    await stage.look()
    assert stage.condition("Ready") == ("True", "Ready")
    stage.kube.add(known.SECRET, {"metadata": {"name": OWN}, "data": there["data"]})
    await stage.look()
    assert stage.condition("Ready") == ("False", "PoolerCannotLogIn")


async def test_a_certificate_that_is_newer_than_its_authority_is_not_read() -> None:
    stage = await stage_with(ANOTHER)
    touched = stage.kube.one(known.SECRET, OWN)
    touched["metadata"]["resourceVersion"] = "99999"
    version(stage, pooler=touched)
    await stage.look()
    assert read(stage) == []
    assert stage.condition("Ready") == ("True", "Ready")
