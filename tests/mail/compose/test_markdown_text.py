"""Markdown as the text part."""

from hypothesis import given, strategies as st
import pytest

from custom_components.email_courier.mail.compose.markdown_text import markdown_text

HOME = "https://house.example"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("# Title\ntext", "Title\n=====\n\ntext"),
        ("## Part", "Part\n----"),
        ("### Small", "Small"),
        ("**bold** *slanted* ~~gone~~ `code`", "bold slanted gone code"),
        ("one\ntwo\n\nthree", "one\ntwo\n\nthree"),
        ("- a\n- b\n  - c", "- a\n- b\n  - c"),
        ("- a\n\n- b", "- a\n\n- b"),
        ("3. a\n4. b", "3. a\n4. b"),
        ("- [x] done\n- [ ] not **yet**", "☑ done\n☐ not yet"),
        ("> said\n> so", "> said\n> so"),
        ("> [!WARNING]\n> Wet", "> WARNING\n> Wet"),
        ("```yaml\na: 1\n  b\n```", "    a: 1\n      b"),
        ("---", "-" * 30),
        ("[History](/history)", "History (https://house.example/history)"),
        ("[](/history)", "https://house.example/history"),
        ("<https://a.example>", "https://a.example"),
        ("https://a.example/x_y_z", "https://a.example/x_y_z"),
        ("[a@b.example](mailto:a@b.example)", "a@b.example"),
        ("![The door](cid:door)", "[The door]"),
        ("![](cid:door)", "[Front door]"),
        ("![](cid:other)", ""),
        ("", ""),
    ],
)
def test_markdown_reads_like_a_text_that_was_typed(source: str, text: str) -> None:
    assert markdown_text(source, HOME, {"cid:door": "Front door"}) == text


def test_a_table_is_aligned_its_numbers_to_the_right() -> None:
    source = "| Room | Energy | Note |\n|--|--|:-:|\n| 台所 | 9.1 kWh | a |\n| Bath | 104 kWh |  |"

    assert markdown_text(source) == (
        "Room   Energy  Note\n----  -------  ----\n台所  9.1 kWh  a\nBath  104 kWh"
    )


@given(st.text(alphabet="ab|-:>#*[]()!`~. \n1", max_size=80) | st.text())
def test_any_markdown_becomes_text(source: str) -> None:
    assert isinstance(markdown_text(source), str)
