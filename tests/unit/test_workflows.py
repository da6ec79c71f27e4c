"""The workflows: what they may do, and that what they call is there."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from dev import image

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job.get("steps", [])]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_only_read_and_runs_only_pinned_actions(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text())
    assert workflow["permissions"] == {"contents": "read"}
    used = [step["uses"] for step in steps(workflow) if "uses" in step]
    assert used
    known = r"(actions/[a-z-]+|sigstore/cosign-installer)@[0-9a-f]{40}"
    assert all(re.fullmatch(known, action) for action in used)
    checkouts = [step for step in steps(workflow) if "checkout" in step.get("uses", "")]
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_calls_nothing_that_is_not_there(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text())
    targets = set(re.findall(r"^([\w./-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    scripts = "\n".join(step.get("run", "") for step in steps(workflow))
    called = set(re.findall(r"\bmake ([\w./-]+)", scripts))
    for job in workflow["jobs"].values():
        called.update(job.get("strategy", {}).get("matrix", {}).get("target", []))
    assert called
    assert called <= targets
    for module in re.findall(r"python -m (dev\.\w+)", scripts):
        assert (ROOT / module.replace(".", "/")).with_suffix(".py").exists()
    # What a script gets from an event comes by environment, where it is a word and not code
    assert not re.search(r"\$\{\{(?! matrix\.)", scripts)


def test_all_that_ci_runs_here_runs_there() -> None:
    steps = re.findall(
        r"^step make (?:--jobs=\d )?([\w -]+)$", (ROOT / ".ci/run").read_text(), re.MULTILINE
    )
    here = {target for step in steps for target in step.split()}
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
    there = set(workflow["jobs"]["make"]["strategy"]["matrix"]["target"])
    assert there == here - {"demo-clean"}  # the machine goes away


def test_the_nightly_run_is_what_make_nightly_runs() -> None:
    makefile = (ROOT / "Makefile").read_text()
    (here,) = re.findall(r"^nightly: ([\w -]+) ##", makefile, re.MULTILINE)
    workflow = yaml.safe_load((ROOT / ".github/workflows/nightly.yml").read_text())
    assert workflow["jobs"]["make"]["strategy"]["matrix"]["target"] == here.split()


def test_the_builder_without_docker_knows_the_base_image() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    release = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())
    base = release["jobs"]["release"]["env"]["BASE"]
    assert f"ARG PYTHON_IMAGE={base}\n" in dockerfile
    assert f'base.name="docker.io/library/{base}"' in dockerfile
    assert set(re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)) == {
        *("${PYTHON_IMAGE}", "base", "root", "scratch")
    }
    assert image.ROOT == ROOT


def test_a_release_signs_what_it_pushed_and_its_chart_names_that() -> None:
    release = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())["jobs"][
        "release"
    ]
    assert release["permissions"]["id-token"] == "write"
    scripts = [step["run"] for step in release["steps"] if "run" in step]
    (built,) = (at for at, run in enumerate(scripts) if "--metadata-file image.json" in run)
    chart, signatures = scripts[built + 1], scripts[built + 2]
    assert "--push" in scripts[built]
    assert chart.index("dev.release --pin") < chart.index("helm package") < chart.index("helm push")
    signed = re.findall(r'cosign sign --yes "(\S+)@\$\(', signatures)
    assert signed == ["${image%:*}", "${CHARTS#oci://}/daap-operator"]
