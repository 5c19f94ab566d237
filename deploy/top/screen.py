"""The live screen of `genoflow top`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar
from uuid import UUID

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.coordinate import Coordinate
from textual.message import Message
from textual.widgets import DataTable, Footer, Input, Static

from genoflow.deploy.top.details import Detail, Reason
from genoflow.deploy.top.reading import PASSING, Reading, Source
from genoflow.deploy.top.shown import AlertShown, Shown, StuckShown
from genoflow.deploy.top.tables import FAINT, Line, Section, matching, sections
from genoflow.deploy.top.words import hint_of, is_unwell, totals_line, tower_line

# A look takes some tenths of a second, the first one of a large table ten. A broker that is gone is
# told by its client after 40 s; nobody should take what is shown for what is so until then.
SILENT_SECONDS = 10.0
SILENCE_LOOK_SECONDS = 1.0
NAMES = ("stages", "stuck", "alerts", "budgets", "processors", "workers")
Acknowledge = Callable[[UUID, str], Awaitable[str]]


class Panel(DataTable[Text]):
    """One table; its cursor stays on its row while rows come and go."""

    def __init__(self, name: str) -> None:
        super().__init__(id=name, cursor_type="row")
        self._lines: tuple[Line, ...] = ()

    def show_section(self, section: Section) -> None:
        """Show these rows."""
        if (self.border_title, self.border_subtitle) != (section.title, section.left_out):
            self.border_title, self.border_subtitle = section.title, section.left_out
        if not self.columns:
            for column in section.columns:
                self.add_column(_title(column.title, column.is_number), key=column.title)
            if section.more_title:
                self.add_column(section.more_title, key="more")
        before, key = self._lines, self.current_key
        self._lines = section.lines
        keys = [line.key for line in section.lines]
        if keys and keys == [line.key for line in before]:
            self._change(section, before)
            return
        self.clear()
        if not keys:
            spare = [Text("")] * (len(self.columns) - 1)
            self.add_row(Text(section.nothing, style=FAINT), *spare)
        for line in section.lines:
            self.add_row(*_cells(section, line))
        if key in keys:
            self.move_cursor(row=keys.index(key), animate=False)

    def _change(self, section: Section, before: Sequence[Line]) -> None:
        """The same rows with other cells: nothing moves under a reader."""
        for row, (old, new) in enumerate(zip(before, section.lines, strict=True)):
            was, now = _cells(section, old), _cells(section, new)
            for column, (one, other) in enumerate(zip(was, now, strict=True)):
                if one != other or one.style != other.style:
                    place = Coordinate(row, column)
                    self.update_cell_at(place, other, update_width=True)

    @property
    def current(self) -> Line | None:
        """The row that the cursor is on."""
        return self._lines[self.cursor_row] if 0 <= self.cursor_row < len(self._lines) else None

    @property
    def current_key(self) -> str:
        """Its key; empty where there is none."""
        return self.current.key if self.current else ""


def _write(line: Static, words: str) -> None:
    """Say this in one line; to say the same again would draw it again."""
    text = Text(words, no_wrap=True, overflow="ellipsis")
    if line.content != text:
        line.update(text)


def _title(title: str, is_number: bool) -> Text:
    return Text(title, justify="right" if is_number else "left")


def _cells(section: Section, line: Line) -> list[Text]:
    cells = [
        Text(cell, style=line.style, justify="right" if column.is_number else "left")
        for column, cell in zip(section.columns, line.cells, strict=True)
    ]
    return [*cells, Text(line.more)] if section.more_title else cells


class Top(App[None]):
    """Everything on one screen, read anew every few seconds."""

    TITLE = "genoflow top"
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = [(0, "-one"), (150, "-two")]  # noqa: RUF012 -- no ClassVar there
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "quit"),
        Binding("slash", "filter", "filter", key_display="/"),
        Binding("escape", "everything", "all rows", show=False),
        Binding("a", "acknowledge", "take an alert up"),
        Binding("p", "pause", "pause"),
    ]
    CSS = """
    #head { height: 1; text-style: bold; }
    #tower { height: 1; color: $text-muted; }
    #tower.unwell { color: $error; text-style: bold; }
    #fault { height: auto; max-height: 3; display: none; background: $error; color: $text; }
    #fault.is-there { display: block; }
    #wanted { display: none; height: 1; border: none; padding: 0; }
    #wanted.is-there { display: block; }
    Panel { height: auto; max-height: 12; border: round $surface-lighten-2; }
    Panel:focus { border: round $accent; }
    #stages { max-height: 20; }
    .-two #body { layout: grid; grid-size: 2; grid-columns: 80 1fr; grid-rows: auto; }
    .-two #alerts { column-span: 2; }
    .-two Panel { max-height: 20; }
    .box { width: 90%; max-width: 100; height: auto; max-height: 90%; padding: 1 2;
           border: round $accent; background: $surface; }
    Detail, Reason { align: center middle; }
    """

    class Came(Message):
        """Something was read."""

        def __init__(self, shown: Shown) -> None:
            super().__init__()
            self.shown = shown

    class Failed(Message):
        """Nothing could be read, for this reason."""

        def __init__(self, why: str) -> None:
            super().__init__()
            self.why = why

    def __init__(
        self,
        source: Source,
        every_seconds: float,
        acknowledge: Acknowledge | None = None,
        *,
        silent_seconds: float = SILENT_SECONDS,
    ) -> None:
        super().__init__()
        self._reading = Reading(
            source, every_seconds,
            lambda shown: self.post_message(self.Came(shown)),
            lambda why: self.post_message(self.Failed(why)),
        )  # fmt: skip
        self._acknowledge = acknowledge
        self._every, self._silent_seconds = every_seconds, silent_seconds
        self._heard_at, self._has_failed = time.monotonic(), False
        # Held here: a question of the app is asked of the screen on top, which may be a detail.
        self._head, self._tower = Static("reading…", id="head"), Static("", id="tower")
        self._fault = Static("", id="fault")
        self._panels = {name: Panel(name) for name in NAMES}
        self._line = Input(placeholder="subject, pipeline, project, stage, rule", id="wanted")
        self._shown: Shown | None = None
        self._wanted = ""
        self._is_paused = False

    def compose(self) -> ComposeResult:
        """The header, the tables, and a line to look for something."""
        yield self._head
        yield self._tower
        yield self._fault
        with VerticalScroll(id="body", can_focus=False):
            yield from self._panels.values()
        yield self._line
        yield Footer()

    def on_mount(self) -> None:
        """Begin to read."""
        self._panels["stages"].focus()
        self._reading.start()
        self.set_interval(SILENCE_LOOK_SECONDS, self._tell_silence)

    async def on_unmount(self) -> None:
        """Stop reading."""
        await asyncio.to_thread(self._reading.end)

    # -- what was read

    def on_top_came(self, message: Top.Came) -> None:
        """Show it; while it is paused, what was on its way is left, and so it is at the end."""
        if self._is_paused or not self._head.is_attached:
            return
        self._shown, self._heard_at, self._has_failed = message.shown, time.monotonic(), False
        self._say_fault("")
        self._draw()

    def on_top_failed(self, message: Top.Failed) -> None:
        """Keep what was shown, and say since when it stands."""
        if self._head.is_attached:
            self._has_failed = True
            self._say_fault(f"{message.why}; trying again{self._since()}")

    def _since(self) -> str:
        return f" (shown: {self._shown.at:%H:%M:%S})" if self._shown else ""

    def _tell_silence(self) -> None:
        """Say so where nothing was heard for a while, neither what is nor what is wrong."""
        silent = time.monotonic() - self._heard_at - self._every
        if silent > self._silent_seconds and not (self._is_paused or self._has_failed):
            self._say_fault(f"no answer for {silent:.0f} s{self._since()}")

    def _say_fault(self, why: str) -> None:
        self._fault.update(Text(why))
        self._fault.set_class(bool(why), "is-there")

    def _draw(self) -> None:
        if self._shown is None:
            return
        shown = self._shown
        marks = [f"{shown.at:%Y-%m-%d %H:%M:%S} UTC"]
        marks += ["PAUSED"] if self._is_paused else []
        marks += [f"only “{self._wanted}”"] if self._wanted else []
        _write(self._head, f"{', '.join(marks)}: {totals_line(shown)}")
        _write(self._tower, tower_line(shown))
        self._tower.set_class(is_unwell(shown), "unwell")
        for section in sections(matching(shown, self._wanted)):
            self._panels[section.name].show_section(section)

    # -- what a person does

    def action_pause(self) -> None:
        """Read no more, or go on."""
        self._is_paused = not self._is_paused
        self._heard_at = time.monotonic()
        self._reading.pause(self._is_paused)
        self._draw()

    def action_filter(self) -> None:
        """Ask for a text."""
        self._line.add_class("is-there")
        self._line.focus()

    def action_everything(self) -> None:
        """Show every row again."""
        self._wanted = ""
        self._line.value = ""
        self._leave_filter()

    def _leave_filter(self) -> None:
        if self._line.has_focus:
            self._panels["stuck"].focus()
        self._line.set_class(bool(self._wanted), "is-there")
        self._draw()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show the rows that hold what was written so far."""
        if event.input.id == "wanted":
            self._wanted = event.value.strip()
            self._draw()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go back to the rows."""
        if event.input.id == "wanted":
            self._leave_filter()

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Show all that is known of the row."""
        if isinstance(event.data_table, Panel) and event.data_table.current is not None:
            line = event.data_table.current
            self.push_screen(Detail(line.key, line.part, hint_of(line.part)))

    def _chosen(self) -> AlertShown | None:
        """The alert under the cursor, or the one about what is stuck there."""
        line, stuck = self._panels["alerts"].current, self._panels["stuck"]
        if stuck.has_focus and self._shown is not None and stuck.current is not None:
            part = stuck.current.part
            ids = part.alerts if isinstance(part, StuckShown) else ()
            return next((one for one in self._shown.alerts if one.alert_id in ids), None)
        return line.part if line is not None and isinstance(line.part, AlertShown) else None

    async def action_acknowledge(self) -> None:
        """Say that you look after the alert under the cursor, and why."""
        alert = self._chosen()
        if self._acknowledge is None or alert is None:
            self.notify("there is no alert to take up")
            return

        def said(reason: str | None) -> None:
            if reason:
                self.run_worker(self._take_up(alert.alert_id, reason), exit_on_error=False)

        self.push_screen(Reason(f"you look after {alert.rule}: {alert.headline}"), said)

    async def _take_up(self, alert_id: UUID, reason: str) -> None:
        assert self._acknowledge is not None
        try:
            words = self._acknowledge(alert_id, reason)
            told = await asyncio.wrap_future(self._reading.ask(_awaited(words)))
        except PASSING as error:
            self.notify(str(error), severity="error", markup=False)
        else:
            self.notify(told, markup=False)


async def _awaited(words: Awaitable[str]) -> str:
    return await words
