"""Labels and annotations that a team asks for, held to Kubernetes' own rules."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from daap_operator.api.base import Model
from daap_operator.api.rules import rule, validations
from daap_operator.api.v1alpha1.database.texts import (
    LABEL_VALUE_PATTERN,
    LABEL_VALUE_TEXT,
    METADATA_KEY_PATTERN,
    METADATA_KEY_TEXT,
    METADATA_KEYS,
    METADATA_RESERVED_PATTERN,
    METADATA_RESERVED_TEXT,
    matched,
    pattern_rule,
)

_PREFIX_LENGTH = 253
_ANNOTATION_LENGTH = 4096


def _wrong(condition: str) -> str:
    """CEL: the first key for which the condition holds."""
    return f"self.filter(key, {condition})[0]"


_MALFORMED = f"key.indexOf('/') > {_PREFIX_LENGTH} || !key.matches(r'{METADATA_KEY_PATTERN}')"
_RESERVED = f"key.matches(r'{METADATA_RESERVED_PATTERN}')"

_KEYS = validations(
    rule(f"!self.exists(key, {_MALFORMED})", METADATA_KEY_TEXT, _wrong(_MALFORMED)),
    rule(f"!self.exists(key, {_RESERVED})", METADATA_RESERVED_TEXT, _wrong(_RESERVED)),
)


def _usable(keys: dict[str, str]) -> dict[str, str]:
    for key in keys:
        well = re.search(METADATA_KEY_PATTERN.replace("$", r"\Z"), key)
        if not well or key.find("/") > _PREFIX_LENGTH:
            raise ValueError(METADATA_KEY_TEXT.format(key))
        if re.match(METADATA_RESERVED_PATTERN, key):
            raise ValueError(METADATA_RESERVED_TEXT.format(key))
    return keys


_LabelValue = Annotated[
    str,
    Field(
        max_length=63,
        description="A label's value.",
        json_schema_extra=validations(pattern_rule(LABEL_VALUE_PATTERN, LABEL_VALUE_TEXT)),
    ),
    matched(LABEL_VALUE_PATTERN.replace("$", r"\Z"), LABEL_VALUE_TEXT),
]
_AnnotationValue = Annotated[
    str, Field(max_length=_ANNOTATION_LENGTH, description="An annotation's value.")
]


class SecretMetadata(Model):
    """Labels and annotations for the connection Secret."""

    labels: Annotated[
        dict[str, _LabelValue],
        Field(default_factory=dict, max_length=METADATA_KEYS, json_schema_extra=_KEYS),
        AfterValidator(_usable),
    ]
    """Labels, at most 32. Keys of Kubernetes, CloudNativePG and the platform are refused."""

    annotations: Annotated[
        dict[str, _AnnotationValue],
        Field(default_factory=dict, max_length=METADATA_KEYS, json_schema_extra=_KEYS),
        AfterValidator(_usable),
    ]
    """Annotations, at most 32, each of at most 4096 characters. Keys of Kubernetes, CloudNativePG
    and the platform are refused."""
