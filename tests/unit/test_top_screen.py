"""The live screen of `genoflow top`: what stands on it, what keys do, and how it takes faults."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from genoflow.deploy.top.details import Detail, Reason
from genoflow.deploy.top.screen import NAMES, SILENT_SECONDS, Acknowledge, Panel, Top
from genoflow.deploy.top.show import Seen, show
from genoflow.deploy.top.shown import Shown
from genoflow.events.errors import Contradicted, LogUnavailable
from genoflow.processors.watchtower.fold import Tower
from tests.top_lab import NOBODY, NOW, SLOW, Given, busy

SOON_SECONDS_MAX = 60.0
EVERY_SECONDS = 0.3
SMALL, WIDE = (80, 24), (170, 50)


@pytest.fixture
async def lab() -> Shown:
    """A lab at work."""
    _, found = await busy()
    return show(found, NOW)


async def until(pilot: Pilot[None], is_so: Callable[[], object], what: str) -> None:
    """Let the screen go on until it is so."""
    try:
        async with asyncio.timeout(SOON_SECONDS_MAX):
            while not is_so():
                await pilot.pause(0.02)
    except TimeoutError:
        pytest.fail(f"not within {SOON_SECONDS_MAX:g} s: {what}")


def text_of(app: Top, name: str) -> str:
    """What a line of the screen says."""
    return str(app.query_one(f"#{name}", Static).content)


def rows(app: Top, name: str) -> list[list[str]]:
    """The cells of a table."""
    panel = app.query_one(f"#{name}", Panel)
    return [[cell.plain for cell in panel.get_row_at(at)] for at in range(panel.row_count)]


def firsts(app: Top, name: str) -> list[str]:
    """The first cell of each row."""
    return [row[0] for row in rows(app, name)]


@asynccontextmanager
async def opened(
    given: Given,
    size: tuple[int, int] = WIDE,
    acknowledge: Acknowledge | None = None,
    silent_seconds: float = SILENT_SECONDS,
) -> AsyncIterator[tuple[Top, Pilot[None]]]:
    """The screen, once it shows the first thing that could be read."""
    app = Top(given.source, EVERY_SECONDS, acknowledge, silent_seconds=silent_seconds)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: "a minute" in text_of(app, "head"), "a first look")
        await pilot.pause()
        yield app, pilot


async def test_every_section_is_filled_with_what_was_read(lab: Shown) -> None:
    async with opened(Given(lab)) as (app, _):
        assert "validate" in firsts(app, "stages")
        assert firsts(app, "stuck") == [one.subject for one in lab.stuck]
        assert "of validate-files, which is 3 records behind" in rows(app, "stuck")[0][-1]
        assert [row[3] for row in rows(app, "alerts")] == [str(a.alert_id) for a in lab.alerts]
        assert firsts(app, "processors") == ["settle-run", "validate-files"]
        assert firsts(app, "workers") == ["lab-1-4711-c0ffee"]
        assert text_of(app, "head") == (
            "2026-03-01 08:35:00 UTC: 14.2 records a minute, 4 stuck, 4 alerts (3 critical, "
            "1 warning)"
        )
        assert text_of(app, "tower").startswith("the tower has counted everything")
        assert not app.query_one("#fault").has_class("is-there")


def has_cursor(panel: Panel) -> bool:
    """Whether keys go to this table."""
    return panel.has_focus


def has_looked(given: Given, times: int) -> bool:
    """Whether it has read so many times."""
    return given.looks >= times


def is_on(panel: Panel) -> bool:
    """Whether all of it is between the header and the end of a small terminal."""
    return panel.region.y >= 2 and panel.region.bottom <= SMALL[1]


async def test_a_small_terminal_shows_every_section_by_moving_from_one_to_the_next(
    lab: Shown,
) -> None:
    async with opened(Given(lab), SMALL) as (app, pilot):
        for name in NAMES:
            panel = app.query_one(f"#{name}", Panel)
            await until(pilot, partial(has_cursor, panel), f"{name} has the cursor")
            await until(pilot, partial(is_on, panel), f"{name} is on the screen")
            assert panel.region.width <= 80
            await pilot.press("tab")


async def test_it_follows_what_changes_and_the_cursor_stays_on_its_row(lab: Shown) -> None:
    without_first = lab.model_copy(update={"stuck": lab.stuck[1:], "stuck_total": 3})
    given = Given(lab)
    async with opened(given) as (app, pilot):
        panel = app.query_one("#stuck", Panel)
        panel.focus()
        await pilot.press("down", "down")
        assert panel.current_key.split()[1] == lab.stuck[2].subject
        given.now = without_first
        await until(pilot, lambda: panel.row_count == 3, "a row less")
        assert panel.current_key.split()[1] == lab.stuck[2].subject
        row = lab.stuck[2].model_copy(update={"waited_seconds": 7_200.0})
        given.now = without_first.model_copy(update={"stuck": (lab.stuck[1], row, lab.stuck[3])})
        await until(pilot, lambda: rows(app, "stuck")[1][3] == "2.0h", "another length")
        given.now = show(Seen(Tower(), NOBODY), NOW)
        await until(pilot, lambda: firsts(app, "stuck") == ["nothing is stuck"], "an empty lab")
        assert "is `genoflow tower` running?" in text_of(app, "tower")
        assert app.query_one("#tower").has_class("unwell")


async def test_a_text_leaves_what_holds_it_and_escape_brings_all_back(lab: Shown) -> None:
    async with opened(Given(lab)) as (app, pilot):
        await pilot.press("slash", *"p7")
        assert app.query_one("#wanted", Input).has_focus
        assert firsts(app, "stuck") == [str(SLOW)]
        assert [row[0] for row in rows(app, "alerts")] == ["warning"]
        await pilot.press("enter")
        assert app.query_one("#stuck").has_focus
        assert "only “p7”" in text_of(app, "head")
        assert "4 stuck" in text_of(app, "head")
        await pilot.press("escape")
        assert len(firsts(app, "stuck")) == 4
        assert "only" not in text_of(app, "head")


async def test_enter_shows_all_that_is_known_of_a_row_while_reading_goes_on(lab: Shown) -> None:
    given = Given(lab)
    async with opened(given) as (app, pilot):
        for name, words in (
            ("stuck", ("owed by: validate-files", "limit seconds: 900.0", "expected: Validated")),
            ("alerts", ("headline: SLOW-14 waits 900 s", f"{lab.alerts[0].alert_id}")),
        ):
            app.query_one(f"#{name}", Panel).focus()
            await pilot.press("enter")
            assert isinstance(app.screen, Detail)
            facts = str(app.screen.query_one("#facts", Static).content)
            await until(pilot, partial(has_looked, given, given.looks + 2), "it goes on below")
            assert [one for one in words if one not in facts] == []
            await pilot.press("escape")
            assert not isinstance(app.screen, Detail)


async def test_paused_it_reads_nothing_and_goes_on_later(lab: Shown) -> None:
    given = Given(lab)
    async with opened(given) as (app, pilot):
        await pilot.press("p")
        assert "PAUSED" in text_of(app, "head")
        await pilot.pause(3 * EVERY_SECONDS)  # a look may have been on its way
        before, head = given.looks, text_of(app, "head")
        await pilot.pause(5 * EVERY_SECONDS)
        assert (given.looks, text_of(app, "head")) == (before, head)
        await pilot.press("p")
        await until(pilot, lambda: given.looks > before + 1, "it looks again")
        await until(pilot, lambda: "PAUSED" not in text_of(app, "head"), "it says so")


async def test_a_broker_that_is_away_is_a_line_and_what_was_shown_stays(lab: Shown) -> None:
    away = LogUnavailable("kafka at x: no broker answers; start one")
    later = lab.model_copy(update={"at": lab.at + timedelta(minutes=1)})
    given = Given(lab)
    async with opened(given) as (app, pilot):
        fault = app.query_one("#fault")
        given.now = away
        await until(pilot, lambda: fault.has_class("is-there"), "the fault")
        assert text_of(app, "fault") == f"{away}; trying again (shown: 08:35:00)"
        assert len(firsts(app, "stuck")) == 4
        given.now = later
        await until(pilot, lambda: "08:36:00" in text_of(app, "head"), "a look that succeeds")
        assert not fault.has_class("is-there")


async def test_the_screen_does_not_wait_for_what_is_read(lab: Shown) -> None:
    released = threading.Event()

    class Hanging(Given):
        is_at_it = False

        async def _look(self) -> Shown:
            if self.looks:
                self.is_at_it = True
                assert released.wait(SOON_SECONDS_MAX)  # not even its own loop goes on
            return await super()._look()

    given = Hanging(lab)
    async with opened(given, silent_seconds=0.5) as (app, pilot):
        try:
            await until(pilot, lambda: given.is_at_it, "the second look")
            await pilot.press("tab", "down", "slash", *"p7")
            assert firsts(app, "stuck") == [str(SLOW)]
            fault = app.query_one("#fault")
            await until(pilot, lambda: fault.has_class("is-there"), "that nothing comes is said")
            assert re.match(r"no answer for \d s \(shown: 08:35:00\)", text_of(app, "fault"))
            released.set()
            await until(pilot, lambda: not fault.has_class("is-there"), "it comes again")
        finally:
            released.set()


class Desk:
    """Takes alerts up, or refuses."""

    def __init__(self, refused: Exception | None = None) -> None:
        self.said: list[tuple[UUID, str]] = []
        self._refused = refused

    async def acknowledge(self, alert_id: UUID, reason: str) -> str:
        """Note it."""
        if self._refused is not None:
            raise self._refused
        self.said.append((alert_id, reason))
        return f"{alert_id}: is acknowledged by kim"


def notices(app: Top) -> list[str]:
    """What was told in passing."""
    return [one.message for one in app._notifications]


async def test_an_alert_is_taken_up_with_a_reason(lab: Shown) -> None:
    desk = Desk()
    async with opened(Given(lab), acknowledge=desk.acknowledge) as (app, pilot):
        app.query_one("#alerts").focus()
        await pilot.press("a")
        assert isinstance(app.screen, Reason)
        await pilot.press("escape")
        await pilot.press("down", "a", *"on it", "enter")
        await until(pilot, lambda: desk.said, "the desk was told")
        assert desk.said == [(lab.alerts[1].alert_id, "on it")]
        await until(pilot, lambda: notices(app), "the answer")
        assert notices(app) == [f"{lab.alerts[1].alert_id}: is acknowledged by kim"]


async def test_on_a_row_that_is_stuck_it_is_its_alert_that_is_taken_up(lab: Shown) -> None:
    desk = Desk()
    async with opened(Given(lab), acknowledge=desk.acknowledge) as (app, pilot):
        app.query_one("#stuck").focus()
        await pilot.press("down", "a", *"on it", "enter")
        await until(pilot, lambda: desk.said, "the desk was told")
        assert desk.said == [(lab.stuck[1].alerts[0], "on it")]
        assert lab.stuck[1].alerts[0] != lab.alerts[0].alert_id


async def test_what_the_desk_refuses_is_told(lab: Shown) -> None:
    desk = Desk(Contradicted("alert 1: is resolved since 08:00"))
    async with opened(Given(lab), acknowledge=desk.acknowledge) as (app, pilot):
        await pilot.press("a", *"x", "enter")
        await until(pilot, lambda: notices(app), "the answer")
        assert notices(app) == ["alert 1: is resolved since 08:00"]
    assert desk.said == []


async def test_without_an_alert_there_is_nothing_to_take_up() -> None:
    async with opened(Given(show(Seen(Tower(), NOBODY), NOW))) as (app, pilot):
        await pilot.press("a", "enter")
        assert notices(app) == ["there is no alert to take up"]


async def test_q_ends_it_and_its_thread(lab: Shown) -> None:
    async with opened(Given(lab)) as (app, pilot):
        await pilot.press("q")
    assert app._exit
    assert [one for one in threading.enumerate() if one.name == "top"] == []
