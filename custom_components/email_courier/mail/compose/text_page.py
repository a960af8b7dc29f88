"""A page of plain text that is written from above to below: paragraphs, lists, rows of cells."""

from __future__ import annotations

_BETWEEN_CELLS = " | "


class TextPage:
    """Lines of text that grow at their end.

    prefix: what the lines to come begin with: marks of quotation, indentation.
    """

    def __init__(self) -> None:
        self.prefix = ""
        self._prefix_before = ""
        self._lines: list[str] = []
        self._line: list[str] = []
        self._due = 0  # line ends before the next text
        self._blank = False
        self._separator = ""
        self._is_marked = False  # line ends wait for the text behind a mark
        self._cell_line: int | None = None

    def text(self) -> str:
        """Return all lines."""
        self._end_line()
        return "\n".join(self._lines).strip("\n")

    def end_line(self, ends: int = 1) -> None:
        """Begin a new line before the next text, after an empty one where ends is 2."""
        if not self._is_marked:
            self._due = max(self._due, ends)
            self._separator = ""

    def break_line(self) -> None:
        """Begin a new line in any case."""
        self.end_line(min(self._due + 1, 2))

    def mark(self, mark: str, prefix: str) -> None:
        """Begin a line with the mark of a list's item; its text follows in the same line."""
        self.end_mark()
        self.end_line()
        within, self.prefix = self.prefix, prefix
        self.add(mark)
        self.prefix = within
        self._blank = self._is_marked = True

    def end_mark(self) -> None:
        """Let lines end again after a mark or the beginning of a cell that had no text."""
        self._is_marked = False

    def begin_cell(self, *, first: bool) -> None:
        """Begin a cell beside the one before, or below it where that took several lines."""
        if first:
            self.end_mark()
            self.end_line()
            self._cell_line = None
        elif self._cell_line == len(self._lines):
            self._due = 0
            self._separator = _BETWEEN_CELLS
            self._is_marked = True
        elif self._cell_line is not None:
            self.end_line()
            self._cell_line = None

    def blank(self) -> None:
        """Put a blank before the next text of the same line."""
        self._blank = True

    def add(self, text: str) -> None:
        """Add text that holds no line end."""
        self._is_marked = False
        if self._due:
            self._end_line()
            if self._due > 1 and self._lines and self._lines[-1]:
                self._lines.append(min(self.prefix, self._prefix_before, key=len).rstrip())
            self._due = 0
        if not self._line:
            self._line.append(self.prefix)
            self._prefix_before = self.prefix
        elif self._separator:
            self._line.append(self._separator)
        elif self._blank:
            self._line.append(" ")
        self._separator = ""
        self._blank = False
        if self._cell_line is None:
            self._cell_line = len(self._lines)
        self._line.append(text)

    def add_behind(self, text: str) -> None:
        """Add text to the line that is there, even where a new one is due."""
        due, self._due = self._due, 0
        has_blank, self._blank = self._blank, True
        self.add(text)
        self._due = due
        self._blank = has_blank

    def _end_line(self) -> None:
        if self._line:
            self._lines.append("".join(self._line).rstrip())
            self._line.clear()
        self._blank = False
