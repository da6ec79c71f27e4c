"""Where the files of a schema come from."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from daap_operator.api.base import Model
from daap_operator.api.rules import rule, validations
from daap_operator.api.v1alpha1.database.texts import (
    CONNECTION_NAME_PATTERN,
    matched,
    pattern_rule,
)

MOST_SOURCES = 16
"""Of each part. With a ConfigMap each they hold more than all files of a schema may have."""
MOST_INLINE = 32
"""Files in one source."""
INLINE_LENGTH = 65_536
"""Characters of a file that is written into the object."""

FILE_PATTERN = r"^[A-Za-z0-9_-][A-Za-z0-9._-]{0,248}\.sql$"
FILE_TEXT = (
    "'{}' must be the name of a file: at most 253 characters of A-Z, a-z, 0-9, '.', '_' and '-', "
    "ending with .sql and not beginning with '.', as in '001_users.sql'"
)
GLOB_PATTERN = r"^[A-Za-z0-9._*?-]{1,253}$"
GLOB_TEXT = (
    "'{}' must be the name of a key of the ConfigMap, or a pattern of names in which '*' stands "
    "for any characters and '?' for one, as in '*.sql'"
)
CONFIG_MAP_TEXT = (
    "'{}' must be a ConfigMap's name: at most 253 characters of a-z, 0-9, '-' and '.', each part "
    "between dots beginning and ending with a letter or digit"
)
REFERENCE_PATTERN = (
    r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*"
    r"(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?@sha256:[0-9a-f]{64}$"
)
REFERENCE_LENGTH = 512
REFERENCE_TEXT = (
    "'{}' must name an image by its digest, ending with '@sha256:' and 64 hexadecimal digits, as "
    "in 'registry.example.com/bookings/schema@sha256:9f86…': whoever pushes the image is told it, "
    "and a tag alone may be another image tomorrow"
)
PATH_PATTERN = r"^/?[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$"
PATH_TEXT = (
    "'{}' must be a directory of the image, as in 'db/schema': names of A-Z, a-z, 0-9, '.', '_' "
    "and '-' that do not begin with '.', with one '/' between two; leave it out for the image's "
    "top"
)
IMAGE_GLOB_TEXT = (
    "'{}' must be the name of a file of the image, or a pattern of names in which '*' stands for "
    "any characters and '?' for one, as in '*.sql'; directories belong into 'path'"
)
PULL_BY_TEXT = (
    "'{}' must be a Secret's name: at most 253 characters of a-z, 0-9, '-' and '.', each part "
    "between dots beginning and ending with a letter or digit"
)
ONE_SOURCE_TEXT = (
    "must have one of 'configMap', 'inline' and 'image', and no other: write one entry for each"
)
NO_FILE_TEXT = "must not be empty: write a file, as name and sql, or leave the entry out"
ALL_FILES = "*.sql"
_KINDS = 3
"""Of sources."""

FileName = Annotated[
    str,
    Field(max_length=253, json_schema_extra=validations(pattern_rule(FILE_PATTERN, FILE_TEXT))),
    matched(FILE_PATTERN, FILE_TEXT),
]
"""The name of a file, as the ledger and messages have it."""


class ConfigMapFiles(Model):
    """Files that are the keys of a ConfigMap."""

    name: Annotated[
        str,
        Field(
            max_length=253,
            json_schema_extra=validations(pattern_rule(CONNECTION_NAME_PATTERN, CONFIG_MAP_TEXT)),
        ),
        matched(CONNECTION_NAME_PATTERN, CONFIG_MAP_TEXT),
    ]
    """Name of the ConfigMap, in this namespace. It needs the label `daap.io/schema-files`, with any
    value: only so are changes of it noticed."""

    files: Annotated[
        str,
        Field(max_length=253, json_schema_extra=validations(pattern_rule(GLOB_PATTERN, GLOB_TEXT))),
        matched(GLOB_PATTERN, GLOB_TEXT),
        # No default in the CRD: below a list, tools that compare it as a whole never see it equal
    ] = Field(default_factory=lambda: ALL_FILES)
    """Which of its keys are files of the schema. When left out, `*.sql`."""


class ImageFiles(Model):
    """Files of an image, which is mounted as a volume and never run."""

    reference: Annotated[
        str,
        Field(
            max_length=REFERENCE_LENGTH,
            json_schema_extra=validations(pattern_rule(REFERENCE_PATTERN, REFERENCE_TEXT)),
        ),
        matched(REFERENCE_PATTERN, REFERENCE_TEXT),
    ]
    """The image, by its digest: `registry.example.com/bookings/schema@sha256:…`. Other files are
    another image, with another digest. Needs a cluster that mounts images: `ImageVolume`, which
    Kubernetes has switched on since 1.35."""

    path: (
        Annotated[
            str,
            Field(
                max_length=255,
                json_schema_extra=validations(pattern_rule(PATH_PATTERN, PATH_TEXT)),
            ),
            matched(PATH_PATTERN, PATH_TEXT),
        ]
        | None
    ) = None
    """The directory of the image that has the files. When left out, its top. Directories in it are
    not looked into."""

    files: Annotated[
        str,
        Field(
            max_length=253,
            json_schema_extra=validations(pattern_rule(GLOB_PATTERN, IMAGE_GLOB_TEXT)),
        ),
        matched(GLOB_PATTERN, IMAGE_GLOB_TEXT),
    ] = Field(default_factory=lambda: ALL_FILES)
    """Which of its files are files of the schema. When left out, `*.sql`."""

    pull_secret: (
        Annotated[
            str,
            Field(
                max_length=253,
                json_schema_extra=validations(pattern_rule(CONNECTION_NAME_PATTERN, PULL_BY_TEXT)),
            ),
            matched(CONNECTION_NAME_PATTERN, PULL_BY_TEXT),
        ]
        | None
    ) = None
    """Name of the Secret, in this namespace, by which the image is pulled, of type
    kubernetes.io/dockerconfigjson. When no image has one, those of the namespace's service account
    `default` count."""


class InlineFile(Model):
    """A file that is written into the object."""

    name: FileName
    """Name of the file."""

    sql: Annotated[str, Field(max_length=INLINE_LENGTH)]
    """What it holds. All inline files of a DaapSchema have at most 128 KiB: larger ones belong
    into a ConfigMap."""


def _some_file(files: tuple[InlineFile, ...]) -> tuple[InlineFile, ...]:
    if not files:
        raise ValueError(NO_FILE_TEXT)
    return files


class FileSource(Model):
    """Some of the files: of a ConfigMap, of an image, or written here."""

    config_map: ConfigMapFiles | None = None
    """Files of a ConfigMap."""

    inline: (
        Annotated[
            tuple[InlineFile, ...],
            Field(
                max_length=MOST_INLINE,
                json_schema_extra=validations(rule("size(self) > 0", NO_FILE_TEXT)),
            ),
            AfterValidator(_some_file),
        ]
        | None
    ) = None
    """Files with their text."""

    image: ImageFiles | None = None
    """Files of an image."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if [self.config_map, self.inline, self.image].count(None) != _KINDS - 1:
            raise ValueError(ONE_SOURCE_TEXT)
        return self


SOURCE_RULES = validations(
    rule(
        "[has(self.configMap), has(self.inline), has(self.image)].exists_one(there, there)",
        ONE_SOURCE_TEXT,
    )
)

Sources = Annotated[
    tuple[Annotated[FileSource, Field(json_schema_extra=SOURCE_RULES)], ...],
    Field(max_length=MOST_SOURCES),
]
"""The sources of one part."""
