"""The table of scale: what a big case costs beside a small one."""

from tests.bench.charts import DAY, MONTH
from tests.bench.figures import COURIER, Figures, Measurement, Scale, Scaled
from tests.bench.page import page, scale_table, with_figures

_CALL = Scaled("a call", "ms", "waiting mails")
_MEMORY = Scaled("memory of Home Assistant", "MB", "accounts")


def _scale(scaled: Scaled, samples: dict[int, list[float]]) -> Scale:
    scale = Scale()
    for size, values in samples.items():
        for value in values:
            scale.add(scaled, size, value)
    return scale


def _cells(scale: Scale) -> list[str]:
    *_, line = scale_table(scale, Figures())
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_line_has_both_cases_their_ratio_and_what_a_further_one_costs() -> None:
    assert _cells(_scale(_CALL, {10: [4, 5, 6], 10_010: [20, 25, 30]})) == [
        "a call",
        "ms",
        "waiting mails",
        "10: 5 (4–6)",
        "10,010: 25 (20–30)",
        "5",
        "2 µs",
    ]


def test_what_costs_more_than_one_of_its_unit_is_shown_in_it() -> None:
    assert _cells(_scale(_MEMORY, {1: [250], 101: [450]}))[-2:] == ["1.80", "2 MB"]


def test_what_is_not_more_costs_nothing() -> None:
    assert _cells(_scale(_CALL, {1: [5], 100: [4.5]}))[-2:] == ["0.90", "nothing"]


def test_the_ratio_to_nothing_is_left_out() -> None:
    assert _cells(_scale(_MEMORY, {1: [0], 11: [10]}))[-2:] == ["", "1 MB"]


def test_a_case_that_was_not_measured_leaves_the_rest_empty() -> None:
    assert _cells(_scale(_CALL, {1: [5]}))[3:] == ["1: 5", "", "", ""]


def _figures(day: float, month: float) -> Figures:
    figures = Figures()
    figures.add(Measurement(f"{DAY}: time", "ms"), COURIER, day)
    figures.add(Measurement(f"{MONTH}: time", "ms"), COURIER, month)
    return figures


def test_charts_of_a_month_stand_beside_those_of_a_day() -> None:
    *_, line = scale_table(Scale(), _figures(100, 390))
    assert line.startswith("| a mail with a chart: time | ms | days, a value a minute |")
    assert line.endswith("| 1: 100 | 30: 390 | 3.90 | 10 ms |")


def test_a_part_that_is_measured_alone_takes_the_place_of_its_lines() -> None:
    whole = page(_figures(100, 390), _scale(_CALL, {1: [5], 11: [6]}), ["load 1.0"], "1 rounds")
    again = _scale(_CALL, {1: [7], 11: [9]})
    again.add(_MEMORY, 1, 250)
    text = with_figures(whole, Figures(), again, "scale", "load 2.0")
    assert "- scale: load 2.0" in text.splitlines()
    assert text.count("| a call | ms | waiting mails |") == 1
    assert "| 1: 7 | 11: 9 |" in text
    assert "| memory of Home Assistant | MB | accounts | 1: 250 |" in text
    assert "| a mail with a chart: time |" in text
    assert with_figures(text, Figures(), again, "scale", "load 2.0") == text


def test_a_page_without_the_table_gets_it() -> None:
    whole = page(Figures(), Scale(), ["load 1.0"], "1 rounds")
    before, _, after = whole.partition("## Scale")
    without = before + after[after.index("## How it was measured") :]
    text = with_figures(without, Figures(), _scale(_CALL, {1: [5]}), "scale", "load 2.0")
    assert text.index("## All figures") < text.index("## Scale") < text.index("## How it")
    assert "| a call | ms | waiting mails | 1: 5 |" in text
