"""Text that came from anywhere, as one line that steers no terminal and no header."""

from __future__ import annotations

NOT_SHOWN = "\N{REPLACEMENT CHARACTER}"


def printable(text: str, instead: str = NOT_SHOWN) -> str:
    """The text with something else in the place of line breaks and all that is not printed."""
    return "".join(one if one.isprintable() else instead for one in text)
