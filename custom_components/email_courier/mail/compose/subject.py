"""The subject of a mail, also of one that was not given any."""

from __future__ import annotations

import re

from .charts import without_marks
from .content import Content
from .encoding import body_text, one_line
from .headers import shown_subject

MAX_DEFAULT = 78
"""Characters; RFC 5322 section 2.1.1 asks for lines that are no longer."""


def subject_of(content: Content) -> str:
    """Return the subject as it is sent: the given one, else what content says instead."""
    if one_line(content.subject) or content.default_subject is None:
        return shown_subject(content.subject)
    return cut_at_word(_first_line(content)) or shown_subject(content.default_subject)


def cut_at_word(line: str, most: int = MAX_DEFAULT) -> str:
    """Return the words of a line that fit; of a single word that does not, its beginning."""
    line = one_line(line)
    if len(line) <= most:
        return line
    words = re.match(rf".{{1,{most}}}(?=\s)", line)
    return (words[0] if words else line[:most]).rstrip()


def _first_line(content: Content) -> str:
    """Return the first line that says something, of the text, the Markdown or the HTML."""
    if content.text.strip():
        text = without_marks(body_text(content.text))
    elif content.markdown:
        from .markdown import plain_lines  # noqa: PLC0415 - few mails need it

        text = "\n".join(plain_lines(body_text(content.markdown)))
    elif content.html:
        from .html_text import html_text  # noqa: PLC0415 - few mails need it

        text = without_marks(html_text(content.html))
    else:
        return ""
    return next((line for line in map(one_line, text.splitlines()) if line), "")
