"""How text is compared, sorted and cased: a locale, and which PostgreSQL can have it."""

import re
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from daap_operator.api.base import Model
from daap_operator.api.rules import rule, validations
from daap_operator.api.v1alpha1.texts import version_in


class LocaleProvider(StrEnum):
    """Who knows the rules of a locale, in PostgreSQL's own words."""

    BUILTIN = "builtin"
    ICU = "icu"
    LIBC = "libc"


BUILTIN_LOCALES = ("C", "C.UTF-8", "PG_UNICODE_FAST")
LIBC_LOCALES = ("C", "C.UTF-8")
"""Those that every image has, and whose order no update of the image changes."""
ICU_PATTERN = r"^[a-z]{2,3}(-[A-Za-z0-9]{1,8})*$"

FIRST_MAJOR = {LocaleProvider.LIBC: 14, LocaleProvider.ICU: 15, LocaleProvider.BUILTIN: 17}
FAST = "PG_UNICODE_FAST"
FIRST_MAJOR_OF_FAST = 18

NOT_BUILTIN = "'{}' is no locale of the provider builtin: take C.UTF-8, PG_UNICODE_FAST or C"
NOT_LIBC = (
    "'{}' is no locale of the provider libc that every image has: take C.UTF-8 or C, "
    "or the provider icu for the order of a language"
)
NOT_ICU = "'{}' is no locale of the provider icu: write a language tag such as und, de or de-AT"
TOO_OLD_TEXT = (
    "'{}' needs PostgreSQL '{}' or newer, and this database gets '{}': "
    "set spec.postgresVersion to '{}' or more, or choose another locale"
)
IMMUTABLE_TEXT = (
    "spec.locale '{}' cannot take the place of '{}': a database keeps its locale; "
    "keep that, or make a new DaapDatabase and copy the data"
)


class Locale(Model):
    """How text is compared, sorted and cased."""

    provider: LocaleProvider
    """`builtin`: PostgreSQL's own, from 17 on; `icu`: the order of a language, from 15 on; `libc`:
    the operating system's."""

    locale: Annotated[str, Field(max_length=63)]
    """The provider's name of it. builtin: `C.UTF-8`, `PG_UNICODE_FAST` (from 18 on) or `C`. icu: a
    language tag such as `und`, `de` or `de-AT`. libc: `C.UTF-8` or `C`."""

    def __str__(self) -> str:
        return f"{self.provider}/{self.locale}"

    @property
    def first_major(self) -> int:
        """The oldest major version of PostgreSQL that has it."""
        fast = self.locale == FAST
        return FIRST_MAJOR_OF_FAST if fast else FIRST_MAJOR[self.provider]

    def objection(self, major: int) -> str:
        """Why a PostgreSQL of that version cannot have it; empty when it can."""
        first = self.first_major
        return "" if major >= first else TOO_OLD_TEXT.format(self, first, major, first)

    @model_validator(mode="after")
    def _known(self) -> Self:
        known, text = {
            LocaleProvider.BUILTIN: (self.locale in BUILTIN_LOCALES, NOT_BUILTIN),
            LocaleProvider.LIBC: (self.locale in LIBC_LOCALES, NOT_LIBC),
            LocaleProvider.ICU: (bool(re.fullmatch(ICU_PATTERN, self.locale)), NOT_ICU),
        }[self.provider]
        if not known:
            raise ValueError(text.format(self.locale))
        return self


def _one_of(locales: tuple[str, ...]) -> str:
    return f"self.locale in [{', '.join(repr(locale) for locale in locales)}]"


LOCALE_RULES = validations(
    *(
        rule(f"self.provider != '{provider}' || {known}", text, "self.locale")
        for provider, known, text in (
            (LocaleProvider.BUILTIN, _one_of(BUILTIN_LOCALES), NOT_BUILTIN),
            (LocaleProvider.LIBC, _one_of(LIBC_LOCALES), NOT_LIBC),
            (LocaleProvider.ICU, f"self.locale.matches(r'{ICU_PATTERN}')", NOT_ICU),
        )
    )
)

_TEXT = "{0}.provider + '/' + {0}.locale"
_FIRST = (
    f"(self.locale.locale == '{FAST}' ? {FIRST_MAJOR_OF_FAST} : "
    f"self.locale.provider == 'builtin' ? {FIRST_MAJOR[LocaleProvider.BUILTIN]} : "
    f"self.locale.provider == 'icu' ? {FIRST_MAJOR[LocaleProvider.ICU]} : "
    f"{FIRST_MAJOR[LocaleProvider.LIBC]})"
)

VERSION_RULE = rule(
    f"!has(self.locale) || !has(self.postgresVersion) || self.postgresVersion >= {_FIRST}",
    TOO_OLD_TEXT,
    _TEXT.format("self.locale"),
    version_in(_FIRST),
    version_in("self.postgresVersion"),
    version_in(_FIRST),
    path=".locale",
)
"""Of the spec. The platform's default version the operator alone knows."""

_SAME = (
    "(has(oldSelf.spec.locale) && has(self.spec.locale) && oldSelf.spec.locale == self.spec.locale)"
)
IMMUTABLE_RULE = rule(
    f"!has(self.spec.locale) || {_SAME} || !has(self.status) || !has(self.status.locale) || "
    f"{_TEXT.format('self.spec.locale')} == self.status.locale",
    IMMUTABLE_TEXT,
    _TEXT.format("self.spec.locale"),
    "self.status.locale",
    path=".spec.locale",
)
"""Of the whole object: what was allotted stands in the status. A spec that does not change is not
judged, or a status that differs could not be written."""
