"""What is known of one row, and the question why somebody takes an alert up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from genoflow.deploy.top.shown import Part


def facts_of(part: Part) -> Iterator[tuple[str, str]]:
    """Names and values of all that is known of it, as `genoflow alerts show` prints them."""
    for name, value in part:
        yield name.replace("_", " "), _said(value)


def _said(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S} UTC"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name} {one}" for name, one in value.items()) or "-"
    if isinstance(value, tuple):
        return ", ".join(str(one) for one in value) or "-"
    if isinstance(value, float | int):
        return f"{value:,}"
    return "-" if value in (None, "") else str(value)


class Detail(ModalScreen[None]):
    """All facts of one row."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "dismiss", "back"),
    ]

    def __init__(self, title: str, part: Part, hint: str = "") -> None:
        super().__init__()
        self._title, self._part, self._hint = title, part, hint

    def compose(self) -> ComposeResult:
        """The facts, a line each."""
        text = Text(f"{self._title}\n\n", style="bold")
        for name, value in facts_of(self._part):
            text.append(f"{name}: ", style="dim")
            text.append(f"{value}\n", style="not bold")
        text.append(self._hint, style="italic not bold")
        with VerticalScroll(classes="box"):
            yield Static(text, id="facts")


class Reason(ModalScreen[str]):
    """Asks why; empty where nothing is to be done."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "leave it")]

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        """One line to write in."""
        with Vertical(classes="box"):
            yield Static(Text(self._question))
            yield Input(placeholder="why, for whoever asks later; escape leaves it", id="reason")

    def action_leave(self) -> None:
        """Do nothing."""
        self.dismiss("")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """This is why."""
        event.stop()
        self.dismiss(event.value.strip())
