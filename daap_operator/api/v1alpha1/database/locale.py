"""How text is compared, sorted and cased: a locale, and which PostgreSQL can have it."""

import re
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from daap_operator.api.base import Model
from daap_operator.api.rules import rule, validations
from daap_operator.api.v1alpha1.database.texts import version_in


class LocaleProvider(StrEnum):
    """Who knows the rules of a locale, in PostgreSQL's own words."""

    BUILTIN = "builtin"
    ICU = "icu"
    LIBC = "libc"


BUILTIN_LOCALES = ("C", "C.UTF-8", "PG_UNICODE_FAST")
LIBC_LOCALES = ("C", "C.UTF-8")
"""Those that every image has, and whose order no update of the image changes."""
ICU_LANGUAGES = (
    "af|ak|am|ar|as|az|ba|be|bg|bm|bn|bo|br|bs|ca|ce|cs|cv|cy|da|de|dz|ee|el|en|eo|es|et|eu|fa|ff|"
    "fi|fo|fr|fy|ga|gd|gl|gu|gv|ha|he|hi|hr|hu|hy|ia|id|ie|ig|ii|in|is|it|iw|ja|jv|ka|ki|kk|kl|km|"
    "kn|ko|ks|ku|kw|ky|lb|lg|ln|lo|lt|lu|lv|mg|mi|mk|ml|mn|mo|mr|ms|mt|my|nb|nd|ne|nl|nn|no|oc|om|"
    "or|os|pa|pl|ps|pt|qu|rm|rn|ro|ru|rw|sa|sc|sd|se|sg|sh|si|sk|sl|sn|so|sq|sr|st|su|sv|sw|ta|te|"
    "tg|th|ti|tk|tl|tn|to|tr|tt|ug|uk|ur|uz|vi|wo|xh|yi|yo|za|zh|zu"
)
"""The languages of two letters that ICU has, up to its release 78. With another one, mostly a
country's code, no database cluster is made, and the locale can no longer be changed."""
ICU_PATTERN = r"^[a-z]{2,3}(-[A-Za-z0-9]{1,8})*$"
_SHORT = r"^[a-z]{2}(-.*)?$"
_KNOWN = rf"^({ICU_LANGUAGES})(-.*)?$"

FIRST_MAJOR = {LocaleProvider.LIBC: 14, LocaleProvider.ICU: 15, LocaleProvider.BUILTIN: 17}
FAST = "PG_UNICODE_FAST"
FIRST_MAJOR_OF_FAST = 18

NOT_BUILTIN = (
    "'{}' is not a locale of provider builtin: set locale to C.UTF-8, PG_UNICODE_FAST or C, or set "
    "provider to icu for the order of a language"
)
NOT_LIBC = (
    "'{}' is not a locale of provider libc in every image: set locale to C.UTF-8 or C, or set "
    "provider to icu for the order of a language"
)
NOT_ICU = (
    "'{}' is not a locale of provider icu: set locale to a tag that begins with the code of a "
    "language (not of a country), such as und, de or de-AT"
)
TOO_OLD_TEXT = (
    "'{}' needs PostgreSQL {} or newer, and this database gets {}: "
    "set spec.postgresVersion to {} or more, or choose another locale"
)
IMMUTABLE_TEXT = (
    "spec.locale '{}' cannot replace '{}': a database keeps its locale; "
    "keep that, or create a new DaapDatabase and copy the data"
)


class Locale(Model):
    """How text is compared, sorted and cased."""

    provider: LocaleProvider
    """`builtin`: PostgreSQL's own, from 17 on; `icu`: the order of a language, from 15 on; `libc`:
    the operating system's."""

    locale: Annotated[str, Field(max_length=63)]
    """The provider's name for it. builtin: `C.UTF-8`, `PG_UNICODE_FAST` (from 18 on) or `C`. icu: a
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

    def unknown_language(self) -> str:
        """Why no database can be made with it; empty where one can, as far as that is known."""
        short = self.provider is LocaleProvider.ICU and re.search(_SHORT, self.locale)
        return NOT_ICU.format(self.locale) if short and not re.search(_KNOWN, self.locale) else ""

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
    ),
    # What does not change is not judged: it may be older than the rule.
    rule(
        "self.provider != 'icu' || "
        "(oldSelf.hasValue() && oldSelf.value().locale == self.locale) || "
        f"!self.locale.matches(r'{_SHORT}') || self.locale.matches(r'{_KNOWN}')",
        NOT_ICU,
        "self.locale",
        on_create=True,
    ),
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
