"""How mails look: colours, and what a style sheet adds where a reader knows it.

Everything that gives a mail its shape is inline and in tables: many readers drop style sheets, and
Outlook lays out with Word. What each of them knows is kept in tests/mail/compose/clients.json.
"""

from __future__ import annotations

from typing import Final

FONT: Final = "-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
MONOSPACE: Final = "ui-monospace,SFMono-Regular,Menlo,Consolas,monospace"

PAGE: Final = "#f4f5f7"
CARD: Final = "#ffffff"
TEXT: Final = "#1f2328"
MUTED: Final = "#59636e"
HAIRLINE: Final = "#d8dee4"
SOFT: Final = "#f3f4f6"
LINK: Final = "#0969da"

WIDTH: Final = 600
"""Pixels of the column, and of a picture that fills it from side to side."""
INNER: Final = 536
"""Pixels of a picture between the card's margins."""

STYLE_SHEET: Final = """\
:root { color-scheme: light dark; supported-color-schemes: light dark; }
@media (max-width: 480px) {
  .outer { padding: 0 !important; }
  .card { border-radius: 0 !important; border-width: 0 0 1px !important; }
  .bar { border-radius: 0 !important; }
  .inner { padding-left: 20px !important; padding-right: 20px !important; }
  .cell { display: block !important; width: 100% !important; padding: 0 0 16px !important; }
}
@media (prefers-color-scheme: dark) {
  .page { background: #0d1117 !important; }
  .card { background: #161b22 !important; border-color: #30363d !important; }
  .text, .text h1, .text h2, .text h3 { color: #e6edf3 !important; }
  .line { border-color: #30363d !important; }
  .soft { background: #21262d !important; }
  .muted { color: #9198a1 !important; }
  .text a { color: #6cb0ff !important; }
  .muted a { color: #9198a1 !important; }
  .text a.button { color: inherit !important; }
}
"""

# Outlook's own dark mode. In a sheet of its own: Gmail drops a whole sheet over one selector that
# it does not know.
OUTLOOK_STYLE_SHEET: Final = """\
[data-ogsc] .text { color: #e6edf3 !important; }
[data-ogsc] .muted { color: #9198a1 !important; }
[data-ogsc] .text a { color: #6cb0ff !important; }
[data-ogsc] .muted a { color: #9198a1 !important; }
[data-ogsc] .text a.button { color: inherit !important; }
"""


def readable_on(color: str) -> str:
    """Return black or white, whichever can be read on a color such as "#d1242f" (WCAG 2)."""
    luminance = sum(
        share * _linear(int(color[at : at + 2], 16) / 255)
        for share, at in ((0.2126, 1), (0.7152, 3), (0.0722, 5))
    )
    return "#ffffff" if 1.05 / (luminance + 0.05) >= 4.5 else "#000000"


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
