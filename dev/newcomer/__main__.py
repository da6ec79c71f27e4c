"""`make newcomer`: the README's commands with an empty home, by the oldest and the newest Python.

PYTHONS=3.11,3.13 names others; COMMANDS="make demo" only some of the commands. A clone of what is
committed is tried. It needs the machine's cluster for itself, and about an hour for each Python.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dev.cluster.progress import duration, say
from dev.newcomer import machine, readme

ROOT = Path(__file__).resolve().parents[2]
SLOWER = 2
"""How many times the README's "about" a machine may take."""


class NewcomerError(Exception):
    """What the README says does not hold. The message says what, and where the output is."""


@dataclass(frozen=True)
class Newcomer:
    """Somebody with a clone and a home."""

    clone: Path
    environment: dict[str, str]
    log: Path

    def run(self, command: str) -> float:
        """Run a command to its end; the seconds it took. Raises NewcomerError."""
        say(f"$ {command}")
        started = time.monotonic()
        with self.log.open("a") as log:
            log.write(f"\n$ {command}\n")
            log.flush()
            child = subprocess.Popen(
                command.split(),
                cwd=self.clone,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        with _ended_early(child):
            status = child.wait()
        took = time.monotonic() - started
        say(f"  {'FAILED' if status else 'ok'} after {duration(took)}")
        if status:
            raise NewcomerError(f"{command} failed:\n{self._said()}\nall of it: {self.log}")
        return took

    def prints(self, command: str) -> str:
        """What a command prints, by the kubeconfig that the demo named. Raises NewcomerError."""
        named = [line for line in self.log.read_text().splitlines() if "export KUBECONFIG=" in line]
        if not named:
            raise NewcomerError(f"make demo does not say where the kubeconfig is; see {self.log}")
        words = command.split()
        words[0] = self._kubectl()
        config = {"KUBECONFIG": named[-1].partition("=")[2].strip()}
        done = subprocess.run(
            words,
            cwd=self.clone,
            env=self.environment | config,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise NewcomerError(f"{command} failed: {done.stderr}")
        return done.stdout

    def _kubectl(self) -> str:
        """The one on PATH, else the one that the demo points to."""
        if found := shutil.which("kubectl", path=self.environment["PATH"]):
            return found
        ask = [".venv/bin/python", "dev/kind", "get", "binary", "kubectl"]
        done = subprocess.run(
            ask, cwd=self.clone, env=self.environment, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def _said(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-40:])


@contextmanager
def _ended_early(child: subprocess.Popen[bytes]) -> Iterator[None]:
    """Whatever ends us early, such as Ctrl-C, ends the program and its children too."""
    try:
        yield
    except BaseException:
        os.killpg(child.pid, signal.SIGTERM)
        child.wait()
        raise


def main() -> int:
    """Try the README with each Python; the exit status."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    found = machine.pythons(machine.places())
    try:
        for version in _chosen(sorted(found)):
            _try(found[version])
    except (NewcomerError, readme.ReadmeError) as error:
        say(f"\nERROR: {error}")
        return 1
    return 0


def _chosen(versions: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The oldest supported and the newest there is, or those that PYTHONS names."""
    if asked := os.environ.get("PYTHONS"):
        wanted = [tuple(map(int, version.split("."))) for version in asked.split(",")]
        missing = [version for version in wanted if version not in versions]
        if missing:
            raise NewcomerError(f"PYTHONS={asked}: there is no {missing[0]}, only {versions}")
        return [version for version in versions if version in wanted]
    if not versions or versions[0] != machine.OLDEST:
        raise NewcomerError(f"the oldest supported Python, {machine.OLDEST}, is not here")
    return sorted({versions[0], versions[-1]})


def _try(python: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="daap-newcomer-") as scratch:
        home = Path(scratch, "home")
        environment = machine.environment(home, python, machine.go_settings(), os.environ)
        clone = Path(scratch, "daap-operator")
        subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
        log = ROOT / ".artifacts" / "newcomer" / f"{python.name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("")
        say(f"\na newcomer with {python}, an empty home and a fresh clone; output: {log}")
        try:
            _follow(Newcomer(clone, environment, log))
        finally:
            machine.remove(home)


def _follow(newcomer: Newcomer) -> None:
    """Do what the README says, and look whether it shows what it says."""
    promises = readme.read((newcomer.clone / "README.md").read_text())
    only = os.environ.get("COMMANDS")
    for command in only.split(",") if only else promises.commands:
        if command == "make demo":
            _demo(newcomer, promises)
        else:
            newcomer.run(command)


def _demo(newcomer: Newcomer, promises: readme.Promises) -> None:
    if (
        "daap-demo"
        in subprocess.run(
            ["dev/kind", "get", "clusters"], cwd=ROOT, capture_output=True, text=True, check=False
        ).stdout
    ):
        raise NewcomerError("a demo is running already: make demo-clean")
    try:
        first = newcomer.run("make demo")
        if found := readme.difference(promises, newcomer.prints(promises.shown_by)):
            raise NewcomerError(found)
        _in_time(first, promises.first_minutes, "the first time")
        newcomer.run("make demo-clean")
        _in_time(newcomer.run("make demo"), promises.later_minutes, "after that")
    finally:
        newcomer.run("make demo-clean")


def _in_time(seconds: float, minutes: int, when: str) -> None:
    said = f"make demo took {duration(seconds)}, README says about {minutes} min {when}"
    say(f"  {said}")
    if seconds > SLOWER * minutes * 60:
        raise NewcomerError(f"{said}: more than {SLOWER} times as long")


if __name__ == "__main__":
    sys.exit(main())
