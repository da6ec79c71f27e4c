"""Which locale a database is made with, and that it is told and kept."""

from dataclasses import replace
from typing import Any

import pytest

from daap_operator import names
from daap_operator.api.v1alpha1 import MAJORS, Locale, LocaleProvider
from daap_operator.engine.conditions import Moment
from daap_operator.kinds import known
from daap_operator.kinds.database import adoption, status, trim
from daap_operator.kinds.database.desired import locales
from daap_operator.kinds.database.desired.cluster import cluster
from daap_operator.kinds.database.desired.resolved import resolve
from tests.unit import builders
from tests.unit.stage import Stage, ready

Object = dict[str, Any]

LIVE = {"clusterName": "daap-orders", "postgresVersion": 17}
ALL = [
    Locale(provider=provider, locale=locale)
    for provider, locale in (
        (LocaleProvider.BUILTIN, "C"),
        (LocaleProvider.BUILTIN, "C.UTF-8"),
        (LocaleProvider.BUILTIN, "PG_UNICODE_FAST"),
        (LocaleProvider.ICU, "und"),
        (LocaleProvider.ICU, "de-AT-u-kn-true"),
        (LocaleProvider.LIBC, "C"),
        (LocaleProvider.LIBC, "C.UTF-8"),
    )
]


def asked(provider: str, locale: str) -> Object:
    return {"locale": {"provider": provider, "locale": locale}}


def initdb(made: Object) -> Object:
    found: Object = made["spec"]["bootstrap"]["initdb"]
    return {
        key: value for key, value in found.items() if key.startswith(("locale", "builtin", "icu"))
    }


@pytest.mark.parametrize("major", MAJORS)
def test_unless_told_otherwise_it_is_unicode_and_that_version_can_have_it(major: int) -> None:
    made = builders.resolved({"postgresVersion": major})
    assert made.locale
    assert made.locale != locales.PLAIN
    assert made.locale.objection(major) == ""
    assert initdb(cluster(made))["localeCType"] == "C.UTF-8"  # full-text search asks it


@pytest.mark.parametrize(
    ("major", "told"),
    [(14, "libc/C.UTF-8"), (15, "icu/und"), (16, "icu/und"), (17, "builtin/C.UTF-8")],
)
def test_the_default_by_version(major: int, told: str) -> None:
    assert str(builders.resolved({"postgresVersion": major}).locale) == told


def test_what_initdb_is_told() -> None:
    assert initdb(cluster(builders.resolved())) == {
        "builtinLocale": "C.UTF-8",
        "localeCollate": "C",
        "localeCType": "C.UTF-8",
        "localeProvider": "builtin",
    }
    made = builders.resolved({"postgresVersion": 16} | asked("icu", "de"))
    assert initdb(cluster(made)) == {
        "icuLocale": "de",
        "localeCollate": "C",
        "localeCType": "C.UTF-8",
        "localeProvider": "icu",
    }
    made = builders.resolved(asked("libc", "C.UTF-8"))
    assert initdb(cluster(made)) == {"localeCollate": "C", "localeCType": "C.UTF-8"}


@pytest.mark.parametrize("locale", ALL, ids=str)
def test_a_clusters_locale_is_read_back(locale: Locale) -> None:
    assert locales.of_initdb(locales.initdb(locale)) == locale
    assert locales.read(str(locale)) == locale


@pytest.mark.parametrize("text", [None, "", "libc", "icu/", "icu/de_DE", "x/C", "builtin/de"])
def test_no_locale_is_not_read(text: str | None) -> None:
    assert locales.read(text) is None


def test_what_cloudnativepg_fills_in_counts_as_plain() -> None:
    assert locales.of_initdb({"localeCollate": "C", "localeCType": "C"}) == locales.PLAIN
    assert locales.of_initdb({"localeCType": ["C"]}) == locales.PLAIN


def test_it_is_allotted_before_the_cluster_is_made_and_then_kept() -> None:
    new = builders.model(asked("icu", "de"))
    moment = Moment(new.status, new.metadata, builders.NOW)
    made = status.first_status(moment, resolve(new, builders.PLATFORM))
    assert made.locale == "icu/de"
    later = builders.resolved({"postgresVersion": 18}, LIVE | {"locale": "icu/de"})
    assert str(later.locale) == "icu/de"


def test_a_database_of_before_says_what_it_has() -> None:
    old = builders.model(status=LIVE)
    moment = Moment(old.status, old.metadata, builders.NOW)
    assert status.first_status(moment, resolve(old, builders.PLATFORM)).locale == "libc/C"


def test_a_status_that_lost_it_has_it_from_the_cluster() -> None:
    there = adoption.left(trim.cluster(applied(asked("icu", "de"))))
    lost = builders.model(status=LIVE)
    assert str(resolve(lost, builders.PLATFORM, left=there).locale) == "icu/de"


def applied(spec: Object) -> Object:
    """A Cluster that the operator applied for the spec, as the API server gives it."""
    made = builders.cluster() | {"spec": cluster(builders.resolved(spec))["spec"]}
    entry = {"manager": names.FIELD_MANAGER, "operation": "Apply", "fieldsV1": {"f:spec": {}}}
    made["metadata"]["managedFields"] = [entry]
    return made


def test_a_retained_one_is_taken_over_with_its_own() -> None:
    there = adoption.left(applied(asked("icu", "de")))
    new = resolve(builders.model(), builders.PLATFORM, left=there)
    assert str(new.locale) == "icu/de"


def test_a_retained_one_with_another_is_not_taken_over() -> None:
    there = applied(asked("icu", "de"))
    spec = asked("builtin", "C.UTF-8")
    new = resolve(builders.model(spec), builders.PLATFORM, left=adoption.left(there))
    (why,) = [why for why in adoption.objections(there, new) if "locale" in why]
    assert "it has 'icu/de' where spec.locale asks for 'builtin/C.UTF-8'" in why
    assert "create it with 'icu/de'" in why


def test_the_models_hold_to_what_was_allotted() -> None:
    spec = asked("icu", "de")
    assert builders.model(spec, LIVE | {"locale": "icu/de"}).spec.locale
    with pytest.raises(ValueError, match=r"spec\.locale 'icu/de' cannot replace 'libc/C'"):
        builders.model(spec, LIVE | {"locale": "libc/C"})


async def test_one_that_the_default_version_cannot_have_is_told_before_all_else() -> None:
    stage = Stage()
    stage.world.platform = replace(stage.world.platform, default_postgres_version=16)
    stage.order(**asked("builtin", "C.UTF-8"))
    await stage.look()
    assert stage.condition("Stalled") == ("True", "InvalidSpec")
    assert stage.message("Stalled") == (
        "spec.locale 'builtin/C.UTF-8' needs PostgreSQL 17 or newer, and this database gets "
        "16: set spec.postgresVersion to 17 or more, or choose another locale"
    )
    assert not stage.kube.there(known.CLUSTER)
    stage.edit(postgresVersion=17)
    await stage.settle()
    assert stage.status()["locale"] == "builtin/C.UTF-8"


async def test_a_status_that_lost_its_locale_has_it_again_and_no_child_is_written() -> None:
    stage = await ready()
    stage.kube.change(known.DATABASE, "orders", lambda obj: obj["status"].pop("locale"))
    before = list(stage.kube.writes)
    await stage.settle()
    assert stage.status()["locale"] == "builtin/C.UTF-8"  # what its Cluster says
    assert stage.kube.writes[len(before) :] == ["status of DaapDatabase orders"]


def test_a_locale_that_is_older_than_the_rule_on_languages_goes_on() -> None:
    """PostgreSQL 15 made it: it takes any language, and sorts as for none."""
    status = {"clusterName": "daap-orders", "locale": "icu/cz", "postgresVersion": 15}
    made = builders.resolved(asked("icu", "cz"), status)
    assert str(made.locale) == "icu/cz"
