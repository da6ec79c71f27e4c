"""Figures over N as a picture: small SVG charts side by side. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from benchmarks.figures import Figures, found

Point = tuple[float, float]

WIDTH, HEIGHT, COLUMNS = 340, 230, 3
LEFT, RIGHT, TOP, BOTTOM = 48, 92, 30, 30
"""Around the lines of one chart: numbers on the left, names on the right."""
FONT = 'font-family="sans-serif" font-size="11"'
NOTHING = 1e-9
"""A figure below is 0 as far as a picture goes."""
COLOURS = ("#1b6ca8", "#c2410c", "#15803d", "#7e22ce", "#a16207")
SHAPES = ("", "6 3", "2 2", "8 3 2 3", "1 3")
"""Dashes, so that no line is told by its colour alone."""


@dataclass(frozen=True)
class Chart:
    """One chart: its title with the unit, and a path of a figure for each named line."""

    title: str
    lines: Mapping[str, str]


CHARTS = (
    Chart(
        "All of N, s",
        {"Ready": "create.all_ready_s", "gone": "delete.gone_s", "restart": "restart.done_s"},
    ),
    Chart(
        "Create → Ready, ms",
        {name: f"create.to_ready_ms.{name}" for name in ("p99", "p95", "p50")},
    ),
    Chart(
        "Databases a second",
        {"floor": "floor.healthy_per_s", "Ready": "create.ready_per_s"},
    ),
    Chart(
        "A change is seen, p99, ms",
        {"edit": "edit.to_child_ms.p99", "child's event": "trickle.to_status_ms.p99"},
    ),
    Chart(
        "CPU a database, create, ms",
        {"operator": "create.cpu_ms.operator", "API server": "create.cpu_ms.kube-apiserver"},
    ),
    Chart(
        "Memory, MiB",
        {"peak": "create.peak_mib", "with N": "create.rss_mib", "start": "start.rss_mib"},
    ),
)


def render(runs: Sequence[Figures], caption: str) -> str:
    """The picture of runs with different N, by whatever order they come in."""
    ordered = sorted(runs, key=lambda run: run["n"])
    rows = math.ceil(len(CHARTS) / COLUMNS)
    size = (WIDTH * COLUMNS, HEIGHT * rows + 24)
    drawn = [_chart(chart, ordered, place) for place, chart in enumerate(CHARTS)]
    box = f'viewBox="0 0 {size[0]} {size[1]}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {box} role="img" {FONT}>',
        f"<title>{escape(caption)}</title>",
        f'<rect width="{size[0]}" height="{size[1]}" fill="#ffffff"/>',
        *drawn,
        f'<text x="12" y="{size[1] - 9}" fill="#555555">{escape(caption)}</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _chart(chart: Chart, runs: Sequence[Figures], place: int) -> str:
    points = {name: _points(runs, path) for name, path in chart.lines.items()}
    every = [point for line in points.values() for point in line]
    scale = Scale.of(every)
    x, y = place % COLUMNS * WIDTH, place // COLUMNS * HEIGHT
    names = _apart([(scale.at(line[-1])[1], name) for name, line in points.items() if line])
    parts = [f'<g transform="translate({x} {y})">', _text(LEFT, 18, chart.title, weight="bold")]
    parts += _axes(scale, sorted({n for n, _ in every}))
    for number, (name, line) in enumerate(points.items()):
        parts += _line(scale, line, number)
        if line:
            colour = COLOURS[number % len(COLOURS)]
            parts.append(_text(WIDTH - RIGHT + 8, names[name] + 4, name, fill=colour))
    return "\n".join([*parts, "</g>"])


def _points(runs: Sequence[Figures], path: str) -> list[Point]:
    values: list[tuple[float, Any]] = [(run["n"], found(run, path)) for run in runs]
    return [(n, float(value)) for n, value in values if value is not None]


@dataclass(frozen=True)
class Scale:
    """From N and a value to a place within one chart; both axes begin at 0."""

    widest: float
    highest: float

    @classmethod
    def of(cls, points: Sequence[Point]) -> "Scale":
        """One that has room for all points."""
        widest = max((n for n, _ in points), default=0.0)
        highest = max((value for _, value in points), default=0.0)
        return cls(widest or 1.0, _round_up(highest))

    def at(self, point: Point) -> Point:
        """Where a point is, in pixels."""
        n, value = point
        x = LEFT + n / self.widest * (WIDTH - LEFT - RIGHT)
        y = HEIGHT - BOTTOM - value / self.highest * (HEIGHT - TOP - BOTTOM)
        return round(x, 1), round(y, 1)


def _round_up(value: float) -> float:
    """The least of 1, 2, 2.5, 5 and 10, times a power of ten, that is not below the value."""
    if value < NOTHING:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((step * power for step in (1, 2, 2.5, 5) if step * power >= value), 10 * power)


def _axes(scale: Scale, sizes: Sequence[float]) -> list[str]:
    parts = []
    for share in (0, 0.5, 1):
        value = share * scale.highest
        _, y = scale.at((0, value))
        end = WIDTH - RIGHT
        parts.append(f'<path d="M{LEFT} {y}H{end}" stroke="#dddddd" fill="none"/>')
        parts.append(_text(LEFT - 6, y + 4, f"{value:,g}", anchor="end"))
    for size in sizes:
        x, y = scale.at((size, 0))
        parts.append(_text(x, y + 16, f"{size:g}", anchor="middle"))
    return parts


def _line(scale: Scale, points: Sequence[Point], number: int) -> list[str]:
    colour, dashes = COLOURS[number % len(COLOURS)], SHAPES[number % len(SHAPES)]
    places = [scale.at(point) for point in points]
    joined = " ".join(f"{x},{y}" for x, y in places)
    dots = [f'<circle cx="{x}" cy="{y}" r="2.5" fill="{colour}"/>' for x, y in places]
    style = f'fill="none" stroke="{colour}" stroke-width="1.8" stroke-dasharray="{dashes}"'
    return [f'<polyline points="{joined}" {style}/>', *dots]


def _apart(wanted: Sequence[tuple[float, str]]) -> dict[str, float]:
    """Heights for names near those wanted, far enough apart to be read."""
    placed: dict[str, float] = {}
    last = -math.inf
    for height, name in sorted(wanted):
        last = max(height, last + 13)
        placed[name] = last
    return placed


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", fill: str = "#333333", weight: str = ""
) -> str:
    bold = f' font-weight="{weight}"' if weight else ""
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{fill}"{bold}>{escape(text)}</text>'
