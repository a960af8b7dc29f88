"""The page that markdown is shown in: one column that reads well on any screen, light or dark.

Tables, attributes and conditional comments are for Outlook, which lays out with Word; the
style sheet is for readers that know dark mode. Nothing on the page is loaded from anywhere.
"""

from __future__ import annotations

from html import escape
from typing import NamedTuple

from .attachments import visible_name
from .content import Button, Content, ContentError, ContentFault
from .encoding import body_text, one_line
from .markdown import PICTURE_STYLE, PICTURE_WIDTH, absolute_link, render

_FONT = "-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"

_STYLE_SHEET = """\
:root { color-scheme: light dark; supported-color-schemes: light dark; }
.text pre { padding: 12px; overflow-x: auto; white-space: pre-wrap; background: #f1f3f4; }
.text code { background: #f1f3f4; }
@media (max-width: 480px) { .outer { padding: 0 !important; } .inner { padding: 20px !important; } }
@media (prefers-color-scheme: dark) {
  .page { background: #111418 !important; }
  .card { background: #1c2025 !important; }
  .text, .title { color: #e4e7eb !important; }
  .text pre, .text code { background: #2a2f36 !important; }
  .text a { color: #4fc3f7 !important; }
  .text a.button { color: #ffffff !important; }
  .footer { color: #a8b0b8 !important; }
}
"""

# Outlook's own dark mode. In a sheet of its own: Gmail drops a whole sheet over one selector that
# it does not know.
_OUTLOOK_STYLE_SHEET = """\
[data-ogsc] .text, [data-ogsc] .title { color: #e4e7eb !important; }
[data-ogsc] .text a { color: #4fc3f7 !important; }
[data-ogsc] .text a.button { color: #ffffff !important; }
"""


class InlinePicture(NamedTuple):
    """A picture in the mail.

    name: its content id as the markdown writes it. content_id: as it is sent. caption: the words
    below it.
    """

    name: str
    content_id: str
    filename: str
    caption: str = ""


def markdown_page(content: Content, pictures: tuple[InlinePicture, ...]) -> str:
    """Return the page for content's markdown: title, text, pictures, button and footer.

    Pictures that the text does not show follow it. Raises ContentError for a button that
    leads nowhere a mail may link to.
    """
    names = {picture.name: picture.content_id for picture in pictures}
    text = render(body_text(content.markdown or ""), names, content.base_url)
    column = [
        _title(content.subject),
        text.html,
        *(_picture(picture) for picture in pictures if picture.name not in text.shown),
        _button(content.button, content.base_url),
    ]
    return _page(content, "".join(column))


def _page(content: Content, column: str) -> str:
    return f"""\
<!DOCTYPE html>
<html lang="{_text(content.language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>{_text(content.subject)}</title>
<style>
{_STYLE_SHEET}</style>
<style>
{_OUTLOOK_STYLE_SHEET}</style>
</head>
<body class="page" style="margin:0;padding:0;background:#f1f3f4">
<table role="presentation" class="page" width="100%" cellpadding="0" cellspacing="0" border="0"
 style="background:#f1f3f4"><tr><td class="outer" align="center" style="padding:24px 12px">
<!--[if mso]><table role="presentation" width="600" cellpadding="0" cellspacing="0"><tr><td>
<![endif]-->
<table role="presentation" class="card" width="100%" cellpadding="0" cellspacing="0" border="0"
 style="max-width:600px;background:#ffffff;border-radius:8px"><tr>
<td class="text inner" dir="auto" align="left"
 style="padding:28px 32px;color:#202124;font-family:{_FONT};font-size:16px;line-height:1.5;\
word-break:break-word">
{column}</td></tr></table>
{_footer(content.home_name)}<!--[if mso]></td></tr></table><![endif]-->
</td></tr></table>
</body>
</html>
"""


def _title(subject: str) -> str:
    if not one_line(subject):
        return ""
    style = "margin:0 0 16px;font-size:24px;line-height:1.25;color:#202124"
    return f'<h1 class="title" style="{style}">{_text(subject)}</h1>\n'


def _picture(picture: InlinePicture) -> str:
    caption = _text(picture.caption)
    alt = caption or _text(visible_name(picture.filename, ""))
    return (
        f'<p style="margin:0 0 16px"><img src="cid:{picture.content_id}" alt="{alt}"'
        f' width="{PICTURE_WIDTH}" style="{PICTURE_STYLE}">{caption}</p>\n'
    )


def _button(button: Button | None, base_url: str | None) -> str:
    if button is None:
        return ""
    target = absolute_link(one_line(button.url), base_url)
    if target is None:
        raise ContentError(
            "button", ContentFault.BUTTON_URL_INVALID, url=one_line(button.url)[:200]
        )
    link = (
        f'<a class="button" href="{escape(target)}" style="display:inline-block;padding:12px 24px;'
        f'color:#ffffff;text-decoration:none;font-weight:600">{_text(button.text or target)}</a>'
    )
    return (
        '<table role="presentation" cellpadding="0" cellspacing="0" border="0"'
        ' style="margin:8px 0 16px"><tr><td bgcolor="#0277bd"'
        f' style="background:#0277bd;border-radius:6px">{link}</td></tr></table>\n'
    )


def _footer(home_name: str) -> str:
    if not one_line(home_name):
        return ""
    style = f"padding:16px 12px;color:#5f6368;font-family:{_FONT};font-size:13px;line-height:1.5"
    return (
        '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"'
        f' style="max-width:600px"><tr><td class="footer" align="center" style="{style}">'
        f"{_text(home_name)}</td></tr></table>\n"
    )


def _text(text: str) -> str:
    return escape(one_line(text))
