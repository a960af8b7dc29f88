"""Plain text made from HTML."""

from time import process_time

from hypothesis import given, strategies as st
import pytest

from custom_components.email_courier.mail.compose.html_text import html_text

ANY = st.lists(
    st.sampled_from(
        [
            "<p>", "</p>", "<ul>", "<ol start=3>", "<li>", "</li>", "</ul>", "<table>", "<tr>",
            "<td>", "</td>", "</table>", "<a href='https://x.test'>", "</a>", "<br>", "<pre>",
            "</pre>", "a", " ", "\n", "<b hidden>", "</b>", "<!--", "-->", "<script>", "</script>",
            "<", "&amp;", "&#0;", "<blockquote>", "</blockquote>", "<img alt=x>", "<img src=cid:y>",
            "<title>", "\0", "\ud800",
        ]
    )
    | st.text(max_size=5)
).map("".join)  # fmt: skip


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("Hi", "Hi"),
        ("<h1>Leak</h1><p>In the <b>cellar</b>.</p><p>Hurry.", "Leak\n\nIn the cellar.\n\nHurry."),
        ("<div>a</div><div>b</div>c", "a\nb\nc"),
        ("a<br>b<br/>c<br><br><br><br>d", "a\nb\nc\n\nd"),
        ("a\n  b&nbsp;&nbsp;c", "a b c"),
        ("K&uuml;che &#128293; &lt;b&gt; 5 &euro;", "Küche 🔥 <b> 5 €"),
        ("<head><title>T</title><style>p {}</style></head><script>x()</script><p>a", "a"),
        ("<p style='color:red;DISPLAY: none'>preview</p><p>a</p>", "a"),
        ("<p hidden>x<p>a", "a"),
        ("a<!-- c --><!--[if mso]>word<![endif]--><![if !mso]>b<![endif]>", "ab"),
        ("<a href='https://x.test/?a=1&amp;b=2'>Open</a>.", "Open (https://x.test/?a=1&b=2)."),
        (
            "<a href='https://x.test/'>x.test</a> <a href='mailto:a@b.test'>a@b.test</a>",
            "x.test a@b.test",
        ),
        ("<a href='https://x.test/p'><img src='i.png'></a>", "https://x.test/p"),
        (
            "<a href='https://x.test/p'><img src='i.png' alt='Door'></a>",
            "[Door] (https://x.test/p)",
        ),
        ("<a href='https://x.test'><div>Open</div></a><p>b", "Open (https://x.test)\n\nb"),
        ("<a href='#top'>Top</a> <a href='javascript:x()'>Run</a> <a>none</a>", "Top Run none"),
        (
            "<a href='https://x.test'>one <a href='https://y.test'>two",
            "one (https://x.test) two (https://y.test)",
        ),
        ("a <img src='cid:door' alt='Front\ndoor'> b <img src='pixel.gif'>", "a [Front door] b"),
        ("<ul><li>a<li>b<ul><li>c</ul><li>d</ul>e", "* a\n* b\n  * c\n* d\n\ne"),
        ("<ol start=3><li>a</li><li><p>b</p></li></ol>", "3. a\n4. b"),
        ("<ul><li></li><li>a</li></ul>", "*\n* a"),
        (
            "<table><tr><th>Room<th>°C</tr><tr><td>Bath</td>\n<td>21</td></tr></table>x",
            "Room | °C\nBath | 21\n\nx",
        ),
        ("<table><tr><td><p>a</p></td><td><p>b</p></td></tr></table>", "a | b"),
        ("<table><tr><td><p>a</p><p>b</p></td><td>c</td></tr></table>", "a\n\nb\n\nc"),
        ("<table><tr><td></td><td>a</td></tr><tr><td>b</table>", "a\nb"),
        ("<pre>\n  a\n\n    b\n</pre>c", "  a\n\n    b\n\nc"),
        ("a<blockquote>b<p>c</p></blockquote>d", "a\n\n> b\n>\n> c\n\nd"),
        ("a<hr>b", "a\n\n------------------------------\n\nb"),
        ("<title>Daily report</title><img src='cid:door.png'>", "Daily report [door.png]"),
        ("<div hidden>a</div>", "a"),
        ("", ""),
        ("<p>&nbsp;</p>", ""),
        ("<p", ""),
        ("<a href='x", ""),
        ("a</b></p></ul></td></table></a></pre></blockquote>b", "a\n\nb"),
        ("&#xD800;&#99999999;&bogus;", "\ufffd\ufffd&bogus;"),
    ],
)
def test_text_says_what_html_shows(html: str, text: str) -> None:
    assert html_text(html) == text


@given(ANY)
def test_any_html_becomes_text_with_sane_lines(html: str) -> None:
    text = html_text(html)

    assert text == text.strip("\n")
    assert not any(line.endswith(" ") for line in text.split("\n"))


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 100_000 + "x" + "</div>" * 100_000,
        "<b>" * 100_000 + "x",
        "<blockquote><ul><li>" * 30_000 + "x",
        "<table><tr><td>" * 30_000 + "x",
        "<a href='https://x.test'>x" * 30_000,
    ],
    ids=["div", "b", "lists", "tables", "links"],
)
def test_deep_nesting_is_no_burden(html: str) -> None:
    assert html_text(html).rstrip(")").endswith(("x", "x (https://x.test"))


@pytest.mark.parametrize(
    "piece",
    ["<p>a <a href='https://x.test/'>b</a> &amp;</p>\n", "<tr><td>a<td>b", "<", "<!--", "<a ", "&#",
     "<title>a</title>", "<img src=a>", "<script>", "</", "<p hidden>", "<pre>\n\n", " \n", "\xad"],
)  # fmt: skip
def test_time_grows_with_length_alone(piece: str) -> None:
    def takes(count: int) -> float:
        start = process_time()
        html_text(piece * count)
        return process_time() - start

    base = 100_000 // len(piece)
    assert takes(4 * base) < 12 * max(takes(base), 0.02)
