"""Names: what CloudNativePG derives from them must fit and must not collide."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daap_operator import names
from daap_operator.api.v1alpha1.database.texts import NAME_PATTERN
from daap_operator.kinds import known
from daap_operator.kinds.database import ownership
from tests.unit import strategies

LABEL_LENGTH = 63

DERIVED = {
    # What CloudNativePG 1.30 makes of a Cluster C and of its Pooler C-pooler
    "Cluster": ("",),
    "Pooler": ("-pooler",),
    "Deployment": ("-pooler",),
    "Service": ("-rw", "-r", "-ro", "-any", "-pooler"),
    "Secret": (
        *("-app", "-ca", "-server", "-replication", "-superuser", "-pooler", "-pull"),
        "-pooler-pull",
    ),
    "PodDisruptionBudget": ("", "-primary"),
    "ServiceAccount": ("", "-pooler"),
    "Role": ("", "-pooler"),
    "Lease": ("",),
    "Pod": ("-1", "-2", "-10"),
    "PersistentVolumeClaim": ("-1", "-2", "-10", "-1-wal", "-10-wal"),
    "Job": ("-1-initdb", "-1-join", "-2-join", "-1-major-upgrade", "-1-snapshot-recovery"),
}


def derived(name: str) -> set[tuple[str, str]]:
    """Kind and name of every object that a database of that name brings along."""
    cluster = names.cluster_name(name)
    made = {(kind, f"{cluster}{end}") for kind, ends in DERIVED.items() for end in ends}
    return made | {("Secret", names.secret_name(name))}


def valid(name: str) -> bool:
    return re.fullmatch(NAME_PATTERN, name) is not None


ENDINGS = sorted({end for ends in DERIVED.values() for end in ends if end} | {"-connection"})

related = st.one_of(
    st.sampled_from(ENDINGS).map(lambda end: lambda name: f"{name}{end}"),
    st.just(lambda name: names.cluster_name(name).removeprefix("daap-")),
    st.just(names.cluster_name),
    st.just(lambda name: name[:-1]),
    st.just(lambda name: f"{name}0"),
)
"""Ways to a second name that is as close to the first as can be."""


@given(strategies.names)
def test_a_clusters_name_is_a_label_and_leaves_room_for_what_is_derived(name: str) -> None:
    cluster = names.cluster_name(name)
    assert len(cluster) <= names.CLUSTER_NAME_LIMIT
    assert re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", cluster)
    generation_suffix = 5
    assert len(f"{cluster}-99-snapshot-recovery") + generation_suffix <= LABEL_LENGTH
    assert all(len(made) <= LABEL_LENGTH for kind, made in derived(name) if kind != "Secret")


@given(strategies.names, strategies.names)
def test_databases_of_two_names_share_no_object(one: str, other: str) -> None:
    assert one == other or not derived(one) & derived(other)


@given(strategies.names, related, related)
def test_databases_of_related_names_share_no_object(one: str, step: object, again: object) -> None:
    assert callable(step)
    assert callable(again)
    other = str(step(one))
    for another in (other, str(again(other))):
        if valid(another) and another != one:
            assert not derived(one) & derived(another), another


@pytest.mark.parametrize("end", ENDINGS)
@pytest.mark.parametrize("name", ["orders", "an-order-of-thirty-two-characters"[:32]])
def test_a_name_with_a_derived_objects_ending_shares_no_object(name: str, end: str) -> None:
    assert not derived(name) & derived(f"{name}{end}")


@given(strategies.names)
def test_a_clusters_name_is_always_the_same(name: str) -> None:
    assert names.cluster_name(name) == names.cluster_name(name)


CLUSTER_NAMES = {
    "short": ("orders", "daap-orders"),
    "longest that stays": ("a" * 32, f"daap-{'a' * 32}"),
    "too long": ("a" * 33, f"daap-{'a' * 23}-852785c8"),
    "cut at a dash": (f"{'a' * 22}-{'b' * 20}", f"daap-{'a' * 22}-1ebcf41e"),
    "its Pooler's name": ("orders-pooler", "daap-orders-pooler-fe75730e"),
    "its budget's name": ("orders-primary", "daap-orders-primary-6c5c53b0"),
    "looks shortened": ("orders-0123abcd", "daap-orders-0123abcd-7f39a92f"),
    "is a digest": ("deadbeef", "daap-deadbeef-2baf1f40"),
}


@pytest.mark.parametrize(("name", "cluster"), CLUSTER_NAMES.values(), ids=CLUSTER_NAMES)
def test_clusters_are_named_like_this_for_ever(name: str, cluster: str) -> None:
    assert names.cluster_name(name) == cluster


def test_the_children_are_named_after_the_cluster_and_the_secret_after_the_database() -> None:
    assert names.pooler_name("daap-orders") == "daap-orders-pooler"
    assert names.secret_name("orders") == "daap-orders-connection"


def test_the_database_has_underscores_for_dashes() -> None:
    assert names.database_name("web-shop-2") == "web_shop_2"


RESERVED = ["postgres", "template0", "template1", "streaming_replica", "pgbouncer", "public"]
RESERVED += ["none", "pg_x", "cnpg_pooler_pgbouncer"]


@pytest.mark.parametrize("database", RESERVED)
def test_names_that_postgresql_and_its_keepers_use_are_reserved(database: str) -> None:
    assert names.reserved(database)


@pytest.mark.parametrize("database", ["orders", "postgres2", "pgx", "my_pg_x", "template"])
def test_other_names_are_free(database: str) -> None:
    assert not names.reserved(database)


def test_a_service_is_reached_by_four_names_the_last_from_everywhere() -> None:
    assert names.service_dns_names("db", "shop", "cluster.local") == [
        "db",
        "db.shop",
        "db.shop.svc",
        "db.shop.svc.cluster.local",
    ]
    assert names.service_host("db", "shop", "example.org") == "db.shop.svc.example.org"


@given(strategies.names)
def test_labels_are_valid_whatever_the_name(name: str) -> None:
    uid = "5e1ec7ab-1e00-4000-8000-000000000001"
    made = ownership.labels(name, uid)
    assert made[names.DATABASE_LABEL] == name
    assert made[known.DATABASE.uid_label] == uid
    value = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
    assert all(value.fullmatch(text) for text in made.values())
