"""The page behind a button: no script, no picture, nothing from anywhere else."""

from __future__ import annotations

from html import escape
from typing import Final, NamedTuple

PROOF: Final = "proof"
REPLY_TEXT: Final = "reply_text"
MAX_REPLY: Final = 500
"""Characters of a text that answers."""

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}

_STYLE: Final = """\
:root { color-scheme: light dark; --page: #f1f3f5; --card: #fff; --text: #1f2328; --muted: #59636e;
  --line: #8c959f; --act: #0969da; --on-act: #fff; --danger: #d1242f; --soft: #eaeef2; }
@media (prefers-color-scheme: dark) { :root { --page: #0d1117; --card: #161b22; --text: #e6edf3;
  --muted: #9198a1; --line: #656c76; --act: #6cb0ff; --on-act: #0d1117; --danger: #ff8182;
  --soft: #21262d; } }
* { box-sizing: border-box; }
html, body { height: 100%; }
body { margin: 0; display: flex; align-items: center; justify-content: center; padding: 16px;
  background: var(--page); color: var(--text); line-height: 1.5; font-size: 17px;
  font-family: -apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif;
  overflow-wrap: anywhere; }
main { width: 100%; max-width: 440px; margin: auto; padding: 36px 28px; border-radius: 16px;
  background: var(--card); text-align: center; }
h1 { margin: 0 0 8px; font-size: 26px; line-height: 1.25; font-weight: 600; }
p { margin: 0 0 24px; }
p:last-child { margin-bottom: 0; }
.icon { margin-bottom: 8px; font-size: 44px; line-height: 1.2; }
.muted { color: var(--muted); font-size: 15px; }
form { margin: 0 0 24px; }
label { display: block; margin: 0 0 6px; text-align: start; font-size: 15px; }
textarea { display: block; width: 100%; margin: 0 0 16px; padding: 12px; font: inherit;
  color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
button { width: 100%; min-height: 52px; padding: 12px 20px; border: 0; border-radius: 10px;
  font: inherit; font-weight: 600; background: var(--act); color: var(--on-act);
  cursor: pointer; }
button.danger { background: var(--danger); }
:focus-visible { outline: 3px solid var(--text); outline-offset: 3px; }
"""


class Form(NamedTuple):
    """The one form of a page. proof: what says that the page has been read.

    text_label: what its text is called; without one it asks for no text.
    more: hidden fields, by their names. target: where it is sent to.
    """

    button: str
    proof: str
    text_label: str = ""
    is_destructive: bool = False
    more: tuple[tuple[str, str], ...] = ()
    target: str = ""


def page_html(
    *,
    language: str,
    heading: str,
    lines: tuple[str, ...] = (),
    form: Form | None = None,
    note: str = "",
    icon: str = "",
) -> str:
    """Return a page. note: what stands below all else."""
    parts = [
        f'<div class="icon" aria-hidden="true">{escape(icon)}</div>\n' if icon else "",
        f'<h1 dir="auto">{escape(heading)}</h1>\n',
        *(f'<p dir="auto">{escape(line)}</p>\n' for line in lines if line),
        "" if form is None else _form_html(form),
        f'<p class="muted" dir="auto">{escape(note)}</p>\n' if note else "",
    ]
    return f"""\
<!DOCTYPE html>
<html lang="{escape(language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<meta name="color-scheme" content="light dark">
<title>{escape(heading)}</title>
<style>
{_STYLE}</style>
</head>
<body>
<main>
{"".join(parts)}</main>
</body>
</html>
"""


def _form_html(form: Form) -> str:
    text = ""
    if form.text_label:
        text = (
            f'<label for="{REPLY_TEXT}">{escape(form.text_label)}</label>\n'
            f'<textarea id="{REPLY_TEXT}" name="{REPLY_TEXT}" rows="3" required dir="auto"'
            f' maxlength="{MAX_REPLY}"></textarea>\n'
        )
    danger = ' class="danger"' if form.is_destructive else ""
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">\n'
        for name, value in ((PROOF, form.proof), *form.more)
    )
    return (
        f'<form method="post" action="{escape(form.target)}" accept-charset="utf-8"'
        f' autocomplete="off">\n{hidden}{text}'
        f'<button type="submit" dir="auto"{danger}>{escape(form.button)}</button>\n</form>\n'
    )
