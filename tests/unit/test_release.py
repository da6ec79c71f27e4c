"""The version, and what is told of it."""

import re
from pathlib import Path

import pytest
import yaml

from daap_operator import __version__
from dev import release

CHANGELOG = """# Changelog

Text.

## Unreleased

- A new thing.

## [0.2.0] - 2026-12-01

### Added

- A thing.

## 0.1.0 - 2026-11-22
"""


def test_the_version_is_semantic_and_stands_in_one_place() -> None:
    assert release.SEMANTIC.fullmatch(__version__)
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    assert 'dynamic = ["version"]' in project
    assert not re.search(r"^version = ", project, re.MULTILINE)


def test_the_changelog_has_a_section_for_what_comes_or_is() -> None:
    headings = release.HEADING.findall(release.CHANGELOG.read_text())
    assert headings[0] in {"Unreleased", __version__}
    assert all(
        release.SEMANTIC.fullmatch(version) for version in headings if version != "Unreleased"
    )


def test_the_notes_are_the_section_without_its_heading() -> None:
    assert release.notes(CHANGELOG, "0.2.0") == "### Added\n\n- A thing.\n"
    assert release.notes(CHANGELOG, "Unreleased") == "- A new thing.\n"


@pytest.mark.parametrize(
    ("version", "message"),
    [
        (
            "0.3.0",
            r"no section 0\.3\.0 \(there are: Unreleased, 0\.2\.0, 0\.1\.0\): rename `## Unrel",
        ),
        ("0.1.0", r"the section 0\.1\.0 is empty"),
        ("0.2", r"no section 0\.2 "),
    ],
)
def test_a_version_without_notes_is_a_fault(version: str, message: str) -> None:
    with pytest.raises(release.ReleaseError, match=message):
        release.notes(CHANGELOG, version)


def test_a_tag_that_is_not_the_versions_is_a_fault() -> None:
    release.check_tag("v0.2.0", "0.2.0")
    with pytest.raises(release.ReleaseError, match=r"the tag v0\.1\.0 is not v0\.2\.0: .*__init__"):
        release.check_tag("v0.1.0", "0.2.0")


@pytest.mark.parametrize(
    ("arguments", "code", "out", "err"),
    [
        (["0.2.0"], 0, "### Added\n\n- A thing.\n", ""),
        (["0.2.0", "--tag", "v0.2.0"], 0, "### Added\n\n- A thing.\n", ""),
        (["0.2.0", "--tag", "0.2.0"], 1, "", "ERROR: the tag 0.2.0 is not v0.2.0"),
        (["9.9.9"], 1, "", "ERROR: CHANGELOG.md has no section 9.9.9"),
    ],
)
def test_the_command(
    arguments: list[str],
    code: int,
    out: str,
    err: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    changelog = tmp_path / "CHANGELOG.md"
    changelog.write_text(CHANGELOG)
    monkeypatch.setattr(release, "CHANGELOG", changelog)
    monkeypatch.setattr("sys.argv", ["release", *arguments])
    assert release.main() == code
    said = capsys.readouterr()
    assert said.out == out
    assert said.err.startswith(err)


DIGEST = f"sha256:{'a' * 64}"


def test_the_chart_of_a_release_names_its_image_by_digest() -> None:
    before = release.VALUES.read_text()
    after = release.pinned(before, DIGEST)
    assert yaml.safe_load(before)["image"]["digest"] == ""
    assert yaml.safe_load(after)["image"]["digest"] == DIGEST
    assert yaml.safe_load(after)["image"] | {"digest": ""} == yaml.safe_load(before)["image"]


@pytest.mark.parametrize(
    ("values", "digest", "said"),
    [
        ('image:\n  digest: ""\n', "null", "the digest is 'null'"),
        ('image:\n  digest: ""\n', "sha256:abc", "the digest is 'sha256:abc'"),
        ("image: {}\n", DIGEST, "values.yaml has 0 lines"),
        ('image:\n  digest: ""\n  digest: ""\n', DIGEST, "values.yaml has 2 lines"),
    ],
)
def test_a_digest_that_cannot_be_pinned_ends_the_release(
    values: str, digest: str, said: str
) -> None:
    with pytest.raises(release.ReleaseError, match=said):
        release.pinned(values, digest)
