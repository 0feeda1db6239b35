"""A small bar chart as SVG, drawn on the server: two series over the last hours. Sizes are SVG user units."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, BASE = 720, 172, 132
LEFT = 34
"""Where the bars begin; before it stand the counts of the lines."""
GAP = 0.24


@dataclass(frozen=True)
class Point:
    """One hour: what it is called, and the two counts."""

    label: str
    facts: int
    sign_ins: int


@dataclass(frozen=True)
class Bar:
    """A drawn count. `y` and `height` in user units from the top."""

    x: float
    y: float
    width: float
    height: float
    series: str
    title: str


@dataclass(frozen=True)
class Chart:
    """Everything the template draws."""

    width: int
    height: int
    base: int
    left: int
    bars: tuple[Bar, ...]
    ticks: tuple[tuple[float, str], ...]
    lines: tuple[tuple[float, str], ...]
    peak: int
    points: tuple[Point, ...]


def chart_of(points: Sequence[Point]) -> Chart:
    """Bars side by side per hour, scaled to the highest count; each third hour is labelled."""
    peak = _round_up(max([1, *(max(point.facts, point.sign_ins) for point in points)]))
    step = (WIDTH - LEFT) / max(1, len(points))
    bars = tuple(bar for number, point in enumerate(points) for bar in _bars(point, LEFT + number * step, step, peak))
    ticks = tuple((round(LEFT + n * step + step / 2, 1), point.label) for n, point in enumerate(points) if n % 3 == 0)
    lines = tuple((round(BASE - BASE * part, 1), str(round(peak * part))) for part in (0.5, 1))
    return Chart(WIDTH, HEIGHT, BASE, LEFT, bars, ticks, lines, peak, tuple(points))


def _bars(point: Point, left: float, step: float, peak: int) -> tuple[Bar, Bar]:
    width = step * (1 - GAP) / 2
    start = left + step * GAP / 2
    return (
        _bar(point.facts, start, width, peak, "facts", f"{point.label} {point.facts} facts"),
        _bar(point.sign_ins, start + width, width, peak, "sign-ins", f"{point.label} {point.sign_ins} sign-ins"),
    )


def _bar(count: int, x: float, width: float, peak: int, series: str, title: str) -> Bar:
    height = round(BASE * count / peak, 1)
    return Bar(round(x, 1), round(BASE - height, 1), round(width - 1, 1), height, series, title)


def _round_up(peak: int) -> int:
    """The next even number of one leading digit: 1→2, 7→8, 83→90, 412→500."""
    unit = 10 ** (len(str(peak)) - 1)
    return max(2, -(-peak // unit) * unit)
