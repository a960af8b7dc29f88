"""Charts with made-up values, always the same, as the drawing takes them."""

from itertools import pairwise
from math import sin
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from custom_components.email_courier.mail.charts.axes import bucket_edges
from custom_components.email_courier.mail.charts.draw import (
    COLORS,
    COLUMNS,
    BarSet,
    Curve,
    Frame,
    draw_bars,
    draw_lines,
    draw_timeline,
)
from custom_components.email_courier.mail.charts.series import (
    Bucket,
    Point,
    Stretch,
    buckets,
    held,
    points_of,
    thinned,
)

ZONE: Final = ZoneInfo("Europe/Berlin")
END: Final = 1_795_291_440.0
"""21 November 2026, 21:04."""
START: Final = END - 86_400


def write(number: float, decimals: int) -> str:
    """Write numbers as in German."""
    return f"{number:z,.{decimals}f}".translate(str.maketrans(",.", ".,"))


ROOMS: Final = ((20.5, 1.6), (17.5, 1.2), (22.5, 1.4))
"""Where the temperatures of three rooms are about, and how far they go from there."""
DAYS: Final = (6.2, 4.9, 7.6, 5.4, 4.6, 7.7, 12.3, 11.2, 10.9, 6.0, 8.8, 6.5, 5.6, 4.9)
"""Kilowatt-hours of 14 days."""
FRAME: Final = Frame(START, END, ZONE, write)


def values(base: float, swing: float, count: int = 1440, seed: int = 0) -> list[Point]:
    """Return values that go up and down with the day, and a little faster by chance."""
    chance = Random(seed)
    step = 86_400 / count
    value = base
    points: list[Point] = []
    for number in range(count):
        aim = base + swing * sin(number / count * 6.3 - 2.5)
        value += (aim - value) * 0.04 + chance.gauss(0, swing / 22)
        points.append(Point(START + number * step, value))
    return points


def curve(base: float, swing: float, number: int = 0, count: int = 1440) -> Curve:
    """Return a line as the recorder's values are made into one."""
    thin = thinned(values(base, swing, count, number), START, END, COLUMNS)
    return Curve(COLORS[number], held(thin, 1800))


def one() -> bytes:
    """Draw one line."""
    return draw_lines([curve(20, 4)], FRAME)


def three() -> bytes:
    """Draw three lines."""
    return draw_lines([curve(*ROOMS[number], number) for number in range(3)], FRAME)


def gaps() -> bytes:
    """Draw steps, with a time of which nothing is known."""
    known = [Point(START, 19), Point(START + 20_000, 21), Point(START + 30_000, None)]
    later = [Point(START + 50_000, 20), Point(START + 70_000, 22), Point(END, 22)]
    return draw_lines([Curve(COLORS[0], held([*known, *later], 1800))], FRAME)


def ranges() -> bytes:
    """Draw a mean in its range."""
    edges = [START + number * 900 for number in range(97)]
    made = buckets(values(20, 4), edges, END)
    return draw_lines([Curve(COLORS[0], points_of(made), made)], FRAME)


def bars() -> bytes:
    """Draw a bar for each of 14 days."""
    begin = END - 13 * 86_400
    edges = bucket_edges(begin, END, ZONE, "day")
    made = [
        Bucket(before, after, DAYS[number], 0, 0)
        for number, (before, after) in enumerate(pairwise(edges))
    ]
    return draw_bars([BarSet(COLORS[0], made)], edges, "day", FRAME._replace(start=begin))


def pairs() -> bytes:
    """Draw bars side by side, above and below zero, for each hour."""
    edges = bucket_edges(START, END, ZONE, "hour")
    sets = [
        BarSet(
            COLORS[number],
            [
                Bucket(before, after, 400 * sin(at + number), 0, 0)
                for at, (before, after) in enumerate(pairwise(edges))
            ],
        )
        for number in range(2)
    ]
    return draw_bars(sets, edges, "hour", FRAME)


def timeline() -> bytes:
    """Draw what doors did, and a washing machine."""
    rows = [
        [
            Stretch(
                START + part * 3000 * (number + 1),
                START + (part + 1) * 3000 * (number + 1),
                COLORS[number] if part % 3 == 1 else None,
            )
            for part in range(28 // (number + 1))
        ]
        for number in range(2)
    ]
    rows.append(
        [
            Stretch(START + 20_000, START + 26_000, COLORS[0]),
            Stretch(START + 26_000, START + 29_000, COLORS[2]),
            Stretch(START + 60_000, START + 60_010, COLORS[1]),
        ]
    )
    return draw_timeline(rows, FRAME)


ALL: Final = {
    drawing.__name__: drawing for drawing in (one, three, gaps, ranges, bars, pairs, timeline)
}
