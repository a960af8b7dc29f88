"""Pictures of charts: what they look like, where things are in them, and how large they are."""

from functools import cache
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageChops, ImageFilter, ImageStat
import pytest

from custom_components.email_courier.mail.charts.axes import value_scale
from custom_components.email_courier.mail.charts.draw import (
    COLORS,
    HEIGHT,
    LABEL,
    QUIET,
    WIDTH,
    BarSet,
    Curve,
    draw_bars,
    draw_lines,
    draw_timeline,
)
from custom_components.email_courier.mail.charts.series import Bucket, Point, Stretch
from tests.support import plots

KEPT = Path(__file__).parent / "charts"
SIZE = (268, 120)
NEAR = 2.5
"""Of 255, on average, after a little blur: fonts and edges differ by less from one release to the
next, and no two of the charts are so much alike."""
LIGHT, DARK = "#ffffff", "#161b22"
PLOT_TOP, PLOT_BOTTOM = 20, HEIGHT - 56


@cache
def _drawn(name: str) -> bytes:
    return plots.ALL[name]()


def _seen(data: bytes, card: str = LIGHT) -> Image.Image:
    """Return a picture as it is seen on a card, small."""
    picture = Image.open(BytesIO(data)).convert("RGBA")
    base = Image.new("RGBA", picture.size, card)
    flat = Image.alpha_composite(base, picture).convert("RGB")
    return flat.resize(SIZE, Image.Resampling.BOX)


def _distance(one: Image.Image, other: Image.Image) -> float:
    blurred = (each.filter(ImageFilter.GaussianBlur(1)) for each in (one, other))
    return max(ImageStat.Stat(ImageChops.difference(*blurred)).mean)


@pytest.mark.parametrize("name", plots.ALL)
def test_a_picture_looks_like_the_one_that_was_kept(name: str) -> None:
    seen = _seen(_drawn(name))
    kept = KEPT / f"{name}.png"
    if not kept.exists():
        kept.parent.mkdir(exist_ok=True)
        seen.save(kept, optimize=True)
        pytest.fail(f"{kept} was not there: look at it, and keep it")

    assert _distance(seen, Image.open(kept).convert("RGB")) < NEAR


def test_no_two_of_them_look_alike() -> None:
    kept = [Image.open(KEPT / f"{name}.png").convert("RGB") for name in plots.ALL]

    for number, one in enumerate(kept):
        assert all(_distance(one, other) > 2 * NEAR for other in kept[number + 1 :])


@pytest.mark.parametrize("name", plots.ALL)
def test_a_picture_is_small_and_lets_the_card_show_through(name: str) -> None:
    data = _drawn(name)
    picture = Image.open(BytesIO(data)).convert("RGBA")

    assert len(data) <= 45_000
    assert picture.width == WIDTH
    assert picture.getchannel("A").getextrema() == (0, 255)


def _luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("card", [LIGHT, DARK])
@pytest.mark.parametrize("color", [*COLORS, LABEL, QUIET])
def test_every_colour_can_be_told_from_white_and_from_dark_cards(color: str, card: str) -> None:
    low, high = sorted((_luminance(color), _luminance(card)))

    assert (high + 0.05) / (low + 0.05) >= 3.1


def _rows_of(data: bytes, color: str, x: int) -> list[int]:
    """Return the rows in which a column has a colour."""
    picture = Image.open(BytesIO(data)).convert("RGBA")
    wanted = tuple(int(color[at : at + 2], 16) for at in (1, 3, 5))
    found: list[int] = []
    for y in range(picture.height):
        pixel = picture.getpixel((x, y))
        assert isinstance(pixel, tuple)
        if pixel[3] > 200 and all(abs(a - b) < 12 for a, b in zip(pixel, wanted, strict=False)):
            found.append(y)
    return found


def _row_of(value: float, low: float, high: float, *, from_zero: bool = False) -> float:
    """Return where a value belongs, reckoned from the axis alone."""
    scale = value_scale(low, high, plots.write, from_zero=from_zero)
    return PLOT_BOTTOM - (value - scale.low) / (scale.high - scale.low) * (PLOT_BOTTOM - PLOT_TOP)


@pytest.mark.parametrize(("low", "high"), [(18.0, 26.0), (-5.0, 5.0), (1e6, 2e6), (1e-5, 9e-5)])
def test_a_line_goes_from_its_first_value_to_its_last(low: float, high: float) -> None:
    points = [Point(plots.START, low), Point(plots.START + 43_200, low)]
    points += [Point(plots.START + 43_200, high), Point(plots.END, high)]
    data = draw_lines([Curve(COLORS[1], points), Curve(COLORS[0], points)], plots.FRAME)

    for x, value in ((100, low), (700, high)):
        rows = _rows_of(data, COLORS[0], x)
        assert rows
        assert sum(rows) / len(rows) == pytest.approx(_row_of(value, low, high), abs=2)


def test_a_bar_reaches_from_zero_to_its_value() -> None:
    edges = [plots.END - 7200, plots.END - 3600, plots.END]
    made = [Bucket(edges[0], edges[1], 8.0, 0, 8), Bucket(edges[1], edges[2], -3.0, -3, 0)]
    data = draw_bars([BarSet(COLORS[0], made)], edges, "hour", plots.FRAME)
    zero = _row_of(0, -3, 8, from_zero=True)

    above, below = _rows_of(data, COLORS[0], 240), _rows_of(data, COLORS[0], 760)

    assert above[0] == pytest.approx(_row_of(8, -3, 8, from_zero=True), abs=2)
    assert above[-1] == pytest.approx(zero, abs=2)
    assert below[0] == pytest.approx(zero, abs=2)
    assert below[-1] == pytest.approx(_row_of(-3, -3, 8, from_zero=True), abs=2)


def test_a_gap_is_left_free() -> None:
    data = _drawn("gaps")

    assert _rows_of(data, COLORS[0], round(WIDTH * 0.2))
    assert not _rows_of(data, COLORS[0], round(WIDTH * 0.43))


def test_a_moment_can_be_seen_in_a_timeline() -> None:
    moment = Stretch(plots.START + 43_200, plots.START + 43_200.5, COLORS[3])
    data = draw_timeline([[moment]], plots.FRAME)

    assert _rows_of(data, COLORS[3], WIDTH // 2 + 1)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_values_are_drawn(count: int) -> None:
    points = [Point(plots.END - 60 * number, 20.0) for number in range(count)]

    assert draw_lines([Curve(COLORS[0], points)], plots.FRAME).startswith(b"\x89PNG")


@pytest.mark.parametrize("largest", [1e-200, 1.0, 1e12, 1e299])
def test_values_of_any_size_are_drawn(largest: float) -> None:
    points = [Point(plots.START, -largest), Point(plots.END, largest)]

    data = draw_lines([Curve(COLORS[0], points), Curve(COLORS[1], points)], plots.FRAME)

    assert _rows_of(data, COLORS[1], 300)


def test_a_time_without_length_is_drawn() -> None:
    frame = plots.FRAME._replace(start=plots.END)

    assert draw_lines([Curve(COLORS[0], [Point(plots.END, 1.0)])], frame).startswith(b"\x89PNG")
    assert draw_timeline([[Stretch(plots.END, plots.END, COLORS[0])]], frame)
