"""Pictures of charts: one for light and dark, sharp on any screen. Blocks.

What is in a picture has to do without letters: Pillow's own font has the digits alone that every
language shares. Pillow takes a while to import, which a home without charts is spared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import tzinfo
from io import BytesIO
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from .axes import Scale, Tick, WriteNumber, bucket_text, time_ticks, value_scale
from .series import Bucket, Point, Stretch, runs

if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont

COLORS: Final = ("#1e88e5", "#e06c00", "#2e9a4b", "#8b5cf6", "#e5484d", "#0f9aa5")
"""Of curves and bars. Each can be told from a white card and from a dark one (WCAG 2, 1.4.11)."""
LABEL: Final = "#7a7d82"
QUIET: Final = "#8b9097"
"""Of states that are many more than there are colours."""

WIDTH: Final = 1072
HEIGHT: Final = 480
COLUMNS: Final = WIDTH // 2
"""Of which a line shows the range; each is one pixel where the picture is as wide as the card."""
_FINE: Final = 2
"""Drawn so many times as large, and made smaller: that is how its edges get smooth."""
_FONT_SIZE: Final = 30
_STROKE: Final = 4
_THIN: Final = 3
_DOT: Final = 9
_GAP: Final = 16
_TOP: Final = 20
_BELOW: Final = 56
_ROW: Final = 46
_BETWEEN_ROWS: Final = 16
_AT_ONCE: Final = 200
"""Points. Pillow keeps the interpreter to itself as long as it draws a line."""
_NARROW: Final = 4
"""Pixels that a stretch takes at least, however short it was."""
_GRID: Final = (128, 132, 138, 70)
_TRACK: Final = 40
_SHADE: Final = 80
_BAND: Final = 64
_COLOURS: Final = 128
"""Of a picture without a shade; most of them are degrees of how far it covers the card."""
_COMPRESSION: Final = 6
"""Of zlib. 9 takes three times as long for the same size."""
_COMPRESSION_OF_SHADES: Final = 4
"""6 takes half as long again for a fifteenth less."""


class Curve(NamedTuple):
    """A line through points. band: the range around it."""

    color: str
    points: Sequence[Point]
    band: Sequence[Bucket] = ()


class Frame(NamedTuple):
    """What every picture needs: the time it shows, the zone of its clock, how numbers are written.

    start, end: seconds since 1970.
    """

    start: float
    end: float
    zone: tzinfo
    write: WriteNumber


def draw_lines(curves: Sequence[Curve], frame: Frame) -> bytes:
    """Return curves as a PNG file. The area below is shaded where there is but one."""
    values = [one.value for curve in curves for one in curve.points if one.value is not None]
    values += [edge for curve in curves for one in curve.band for edge in (one.low, one.high)]
    scale = value_scale(min(values, default=0.0), max(values, default=1.0), frame.write)
    sheet = _Sheet(frame, scale, HEIGHT)
    for curve in curves:
        if curve.band:
            sheet.band(curve)
        elif len(curves) == 1:
            sheet.shade(curve)
    for curve in curves:
        sheet.curve(curve)
    return sheet.png(time_ticks(frame.start, frame.end, frame.zone))


class BarSet(NamedTuple):
    """The bars of one entity. is_range: each from its lowest to its highest, else from zero."""

    color: str
    bars: Sequence[Bucket]
    is_range: bool = False

    def span(self, bar: Bucket) -> tuple[float, float]:
        """Return where a bar begins and ends."""
        if self.is_range:
            return bar.low, bar.high
        return min(bar.mean, 0.0), max(bar.mean, 0.0)


def draw_bars(sets: Sequence[BarSet], edges: Sequence[float], unit: str, frame: Frame) -> bytes:
    """Return bars as a PNG file: those of the same time side by side.

    edges: of the times, in order. unit: hour, day or month.
    """
    spans = [edge for one in sets for bar in one.bars for edge in one.span(bar)]
    is_range = all(one.is_range for one in sets)
    low, high = min(spans, default=0.0), max(spans, default=1.0)
    scale = value_scale(low, high, frame.write, from_zero=not is_range)
    sheet = _Sheet(frame, scale, HEIGHT)
    width = sheet.right / (len(edges) - 1)
    places = {edge: number * width for number, edge in enumerate(edges)}
    room = width * (0.64 if width > 24 else 0.8)
    apart = 2 if len(sets) > 1 else 0
    for number, one in enumerate(sets):
        thick = room / len(sets)
        before = (width - room) / 2 + number * thick
        lefts = [(places[bar.start] + before, one.span(bar)) for bar in one.bars]
        sheet.bars(one.color, [(left, left + max(thick - apart, 1), span) for left, span in lefts])
    texts = [
        Tick(at + width / 2, bucket_text(edge, frame.zone, unit)) for edge, at in places.items()
    ]
    return sheet.png(texts[:-1], at_pixels=True)


def draw_timeline(rows: Sequence[Sequence[Stretch]], frame: Frame) -> bytes:
    """Return a row for each entity as a PNG file, in which its states have their colours."""
    height = _TOP + len(rows) * (_ROW + _BETWEEN_ROWS) + _BELOW
    sheet = _Sheet(frame, None, height)
    sheet.rows(rows)
    return sheet.png(time_ticks(frame.start, frame.end, frame.zone))


class _Sheet:
    """A transparent sheet, with lines for round numbers and their labels beside it."""

    def __init__(self, frame: Frame, scale: Scale | None, height: int) -> None:
        from PIL import Image, ImageDraw, ImageFont  # noqa: PLC0415 - see above

        self._frame = frame
        self._scale = scale
        self._height = height
        self._font = ImageFont.load_default(_FONT_SIZE)
        texts = [tick.text for tick in scale.ticks] if scale else []
        widest = max((_width(self._font, text) for text in texts), default=0)
        self.right = WIDTH - (widest + _GAP + _DOT if scale else 0)
        self._bottom = height - _BELOW
        self._is_shaded = False
        self._image = Image.new("RGBA", (WIDTH, height))
        draw = ImageDraw.Draw(self._image)
        for tick in scale.ticks if scale else ():
            y = round(self._y(tick.at))
            draw.line((0, y, self.right, y), fill=_GRID)

    def curve(self, curve: Curve) -> None:
        """Draw a line; a value alone is a dot, and so is the last."""
        is_dense = sum(1 for one in curve.points if one.value is not None) > WIDTH
        stroke = (_THIN if is_dense else _STROKE) * _FINE
        # Where points are closer than pixels nobody sees joints, which take most of the time.
        joint = None if is_dense else "curve"

        def shape(draw: ImageDraw.ImageDraw) -> None:
            last: tuple[float, float] | None = None
            for run in runs(curve.points):
                line = [self._at(*one) for one in run]
                last = line[-1]
                if len(line) == 1:
                    _dot(draw, last, _STROKE * _FINE)
                for at in range(0, len(line) - 1, _AT_ONCE):
                    draw.line(line[at : at + _AT_ONCE + 2], fill=255, width=stroke, joint=joint)
            if last is not None and curve.points[-1].value is not None:
                _dot(draw, last, _DOT * _FINE)

        self._paint(curve.color, shape)

    def shade(self, curve: Curve) -> None:
        """Shade what is below a line, the less the further below."""
        from PIL import Image, ImageChops, ImageDraw  # noqa: PLC0415 - see above

        self._is_shaded = True
        tops: list[float] = []

        below = Image.new("L", self._image.size)
        draw = ImageDraw.Draw(below)
        for run in runs(curve.points):
            line = _without_spikes([(self._x(time), self._y(value)) for time, value in run])
            tops += [y for _, y in line]
            for at in range(0, len(line) - 1, _AT_ONCE):
                part = line[at : at + _AT_ONCE + 1]
                floor = [(part[-1][0], self._bottom), (part[0][0], self._bottom)]
                draw.polygon([*part, *floor], fill=255)
        top = min(tops, default=0.0)
        tall = max(self._bottom - top, 1.0)
        fading = Image.new("L", (1, self._height))
        fading.putdata(
            [round(_SHADE * min(max(1 - (y - top) / tall, 0), 1)) for y in range(self._height)]
        )
        self._lay(curve.color, ImageChops.multiply(below, fading.resize(below.size)))

    def band(self, curve: Curve) -> None:
        """Fill the range around a line."""
        joined: list[list[Bucket]] = []
        for one in curve.band:
            if joined and one.start - joined[-1][-1].end <= 1:
                joined[-1].append(one)
            else:
                joined.append([one])

        def shape(draw: ImageDraw.ImageDraw) -> None:
            for part in joined:
                ends = [
                    (part[0].start, part[0]),
                    *(((one.start + one.end) / 2, one) for one in part),
                ]
                ends.append((part[-1].end, part[-1]))
                upper = [self._at(at, one.high) for at, one in ends]
                lower = [self._at(at, one.low) for at, one in ends]
                draw.polygon([*upper, *reversed(lower)], fill=_BAND)

        self._paint(curve.color, shape)

    def bars(self, color: str, bars: Sequence[tuple[float, float, tuple[float, float]]]) -> None:
        """Draw bars, from left to right and from low to high, round where they end."""

        def shape(draw: ImageDraw.ImageDraw) -> None:
            for left, right, (low, high) in bars:
                floor, top = self._y(low), self._y(high)
                if floor - top < 0.5:
                    continue
                draw.rounded_rectangle(
                    (left * _FINE, top * _FINE, right * _FINE - 1, floor * _FINE - 1),
                    radius=min(8, (right - left) / 3, (floor - top) / 2) * _FINE,
                    fill=255,
                    corners=(high > 0, high > 0, low < 0, low < 0),
                )

        self._paint(color, shape)

    def rows(self, rows: Sequence[Sequence[Stretch]]) -> None:
        """Draw the stretches of each entity, in a row of its own."""
        tops = [_TOP + number * (_ROW + _BETWEEN_ROWS) for number in range(len(rows))]
        boxes: dict[str, list[tuple[float, float, int]]] = {}
        for top, row in zip(tops, rows, strict=True):
            for left, right, color in self._merged(row):
                boxes.setdefault(color, []).append((left, right, top))
        self._boxes(LABEL, [(0, WIDTH, top) for top in tops], _TRACK)
        for color, found in boxes.items():
            self._boxes(color, found, 255)

    def _boxes(self, color: str, boxes: Sequence[tuple[float, float, int]], fill: int) -> None:
        def shape(draw: ImageDraw.ImageDraw) -> None:
            for left, right, top in boxes:
                draw.rounded_rectangle(
                    (left * _FINE, top * _FINE, right * _FINE - 1, (top + _ROW) * _FINE - 1),
                    radius=min(8, (right - left) / 2) * _FINE,
                    fill=fill,
                )

        self._paint(color, shape)

    def _merged(self, row: Sequence[Stretch]) -> list[tuple[float, float, str]]:
        """Return stretches in pixels; those that nobody could tell apart are one."""
        merged: list[tuple[float, float, str]] = []
        for one in row:
            if one.color is None:
                continue
            left = max(self._x(one.start), 0.0)
            right = min(max(self._x(one.end), left + _NARROW), float(WIDTH))
            left = min(left, right - _NARROW)
            if merged and left - merged[-1][1] < 1:
                begin, end, color = merged[-1]
                if one.color == color:
                    merged[-1] = (begin, max(right, end), color)
                    continue
                left = max(left, min(end, right - 1))
            merged.append((left, right, one.color))
        return merged

    def png(self, ticks: Sequence[Tick], *, at_pixels: bool = False) -> bytes:
        """Return the sheet as a file, with labels. at_pixels: of ticks, not times."""
        from PIL import Image, ImageDraw  # noqa: PLC0415 - see above

        draw = ImageDraw.Draw(self._image)
        for tick in self._scale.ticks if self._scale else ():
            draw.text((WIDTH, self._y(tick.at)), tick.text, LABEL, self._font, anchor="rm")
        self._label(draw, ticks, (lambda at: at) if at_pixels else self._x)
        file = BytesIO()
        image, level = self._image, _COMPRESSION_OF_SHADES
        if not self._is_shaded:
            # Half the size and the time; of a shade it would make stripes.
            image = image.quantize(_COLOURS, method=Image.Quantize.FASTOCTREE)
            level = _COMPRESSION
        image.save(file, "PNG", compress_level=level)
        return file.getvalue()

    def _label(
        self, draw: ImageDraw.ImageDraw, ticks: Sequence[Tick], place: Callable[[float], float]
    ) -> None:
        """Write what is below; every second, third … where they would touch."""
        widths = [_width(self._font, tick.text) for tick in ticks]
        places = [place(tick.at) for tick in ticks]
        apart = min((after - before for before, after in pairwise(places)), default=0.0)
        every = 1
        while ticks and apart and every * apart < max(widths) + _GAP:
            every += 1
        y = self._height - _FONT_SIZE / 2 - 4
        last = 0.0
        for tick, width, at in list(zip(ticks, widths, places, strict=True))[::every]:
            x = min(max(at, width / 2), WIDTH - width / 2)
            if x - width / 2 >= last:
                draw.text((x, y), tick.text, LABEL, self._font, anchor="mm")
                last = x + width / 2 + _GAP / 2

    def _paint(self, color: str, shape: Callable[[ImageDraw.ImageDraw], None]) -> None:
        self._lay(color, self._mask(shape))

    def _mask(self, shape: Callable[[ImageDraw.ImageDraw], None]) -> Image.Image:
        """Return how much of each pixel a shape covers."""
        from PIL import Image, ImageDraw  # noqa: PLC0415 - see above

        fine = Image.new("L", (WIDTH * _FINE, self._height * _FINE))
        shape(ImageDraw.Draw(fine))
        return fine.reduce(_FINE)

    def _lay(self, color: str, mask: Image.Image) -> None:
        """Lay a colour over the sheet, as much of it as a mask says."""
        from PIL import Image  # noqa: PLC0415 - see above

        box = mask.getbbox()
        if box is None:
            return
        part = mask.crop(box)
        layer = Image.new("RGBA", part.size, color)
        layer.putalpha(part)
        self._image.alpha_composite(layer, box[:2])

    def _at(self, time: float, value: float) -> tuple[float, float]:
        return self._x(time) * _FINE, self._y(value) * _FINE

    def _x(self, time: float) -> float:
        span = self._frame.end - self._frame.start or 1.0
        return (time - self._frame.start) / span * self.right

    def _y(self, value: float) -> float:
        scale = self._scale
        if scale is None:
            return 0.0
        share = (value - scale.low) / (scale.high - scale.low)
        return self._bottom - share * (self._bottom - _TOP)


def _without_spikes(line: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return two points for each pixel of a line.

    That is the lowest, above which there is no shade, and the last, from which the line goes on.
    """
    kept: dict[int, tuple[tuple[float, float], tuple[float, float]]] = {}
    for point in line:
        at = round(point[0])
        lowest, _ = kept.get(at, (point, point))
        kept[at] = (max(lowest, point, key=lambda one: one[1]), point)
    return [point for pair in kept.values() for point in dict.fromkeys(pair)]


def _dot(draw: ImageDraw.ImageDraw, at: tuple[float, float], radius: float) -> None:
    x, y = at
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)


def _width(font: ImageFont.FreeTypeFont | ImageFont.ImageFont, text: str) -> int:
    return round(font.getlength(text))
