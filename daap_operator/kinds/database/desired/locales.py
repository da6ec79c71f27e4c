"""The locale of a database: allotted once, when it is made (docs/adr/0017)."""

from typing import Any

from daap_operator import raw
from daap_operator.api.v1alpha1 import Locale, LocaleProvider

PLAIN = Locale(provider=LocaleProvider.LIBC, locale="C")
"""What CloudNativePG makes unless told otherwise: every database made before there was a choice."""


def default(major: int) -> Locale:
    """Unicode by whatever that major version of PostgreSQL does best."""
    if major >= 17:
        return Locale(provider=LocaleProvider.BUILTIN, locale="C.UTF-8")
    if major >= 15:
        return Locale(provider=LocaleProvider.ICU, locale="und")
    return Locale(provider=LocaleProvider.LIBC, locale="C.UTF-8")


def read(text: str | None) -> Locale | None:
    """The locale that a status names; None where it names none that there is."""
    provider, _, locale = (text or "").partition("/")
    try:
        return Locale.model_validate({"provider": provider, "locale": locale})
    except ValueError:
        return None


def initdb(locale: Locale | None) -> dict[str, Any]:
    """What a Cluster's `bootstrap.initdb` says of it; `of_initdb` is the way back.

    The character types of the operating system are Unicode's, too: full-text search asks them,
    whatever the provider. Its order is that of bytes, which no update changes.
    """
    if locale is None or locale == PLAIN:
        return {}
    if locale.provider is LocaleProvider.LIBC:
        return {"localeCollate": "C", "localeCType": locale.locale}
    named = "builtinLocale" if locale.provider is LocaleProvider.BUILTIN else "icuLocale"
    return {
        "localeCollate": "C",
        "localeCType": "C.UTF-8",
        "localeProvider": locale.provider.value,
        named: locale.locale,
    }


def of_initdb(initdb: object) -> Locale:
    """The locale of a Cluster by its `bootstrap.initdb`, the object's or the part we applied."""
    provider = raw.text(initdb, "localeProvider") or LocaleProvider.LIBC
    field = {"builtin": "builtinLocale", "icu": "icuLocale"}.get(provider, "localeCType")
    return read(f"{provider}/{raw.text(initdb, field)}") or PLAIN
