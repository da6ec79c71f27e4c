"""The command line of a benchmark. Pure."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SIZES = (100, 500, 1000, 2000)
PEER_SIZES = (100, 1000)
ROUNDS = 3
MOST = 20_000
"""More databases than the machine that runs this has memory for."""


@dataclass(frozen=True)
class Options:
    """What to measure; all times in seconds."""

    sizes: tuple[int, ...]
    """How many databases, one run after the other."""
    directory: Path
    """Where the results go: `bench.jsonl` grows by a line a run, `bench.svg` is written anew."""
    idle: float = 60.0
    """How long to watch databases that are left alone."""
    trickle: float = 20.0
    """How long children change, one after the other."""
    rate: float = 10.0
    """How many of them do so in a second."""


def read(arguments: Sequence[str] | None = None) -> Options:
    """The options of a command line; ends the program when they are wrong, as argparse does."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    add_sizes(parser, SIZES)
    parser.add_argument("--idle", type=_positive, default=Options.idle, metavar="SECONDS")
    parser.add_argument("--trickle", type=_positive, default=Options.trickle, metavar="SECONDS")
    parser.add_argument("--rate", type=_positive, default=Options.rate, metavar="EVENTS/S")
    return Options(**vars(parser.parse_args(arguments)))


@dataclass(frozen=True)
class PeerOptions(Options):
    """What to measure of two operators."""

    rounds: int = ROUNDS
    """How often each is measured with each size."""


def read_peers(arguments: Sequence[str] | None = None) -> PeerOptions:
    """The same for two operators side by side."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    add_sizes(parser, PEER_SIZES)
    parser.add_argument("--rounds", type=int, choices=range(1, 21), default=ROUNDS)
    return PeerOptions(**vars(parser.parse_args(arguments)))


def add_sizes(parser: argparse.ArgumentParser, default: tuple[int, ...]) -> None:
    """The two arguments that every benchmark has."""
    words = " ".join(map(str, default))
    parser.add_argument("--sizes", type=sizes, default=default, metavar=f"'{words}'")
    directory = Path(".artifacts", "bench")
    parser.add_argument("--directory", type=Path, default=directory, metavar="DIR")


def sizes(text: str) -> tuple[int, ...]:
    """The sizes in `100 500` or `100,500`. Raises ArgumentTypeError, with the remedy."""
    words = text.replace(",", " ").split()
    if not words or not all(word.isdecimal() and 0 < int(word) <= MOST for word in words):
        raise argparse.ArgumentTypeError(
            f"N is '{text}', but must be numbers from 1 to {MOST}: write N=\"100 500\""
        )
    return tuple(map(int, words))


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 3600:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number between 0 and 3600")
    return value
