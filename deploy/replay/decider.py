"""One decider over records, with what it says as plain values: no log, no effects, no parking.

    about()      what the row is: its topic, the types that it takes, its effects
    take(…)      what it answers to one record, on the state that the records before it left

Run as a script this file does the same for another revision: its imports are then that revision's,
and requests and answers are lines of JSON. So it needs nothing of this folder, and of the rooms
only what a worker has always needed.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path
from typing import Any, TextIO

from genoflow.events.codec import HEADER_SEAL, Codec, header
from genoflow.events.envelope import Producer
from genoflow.events.errors import Stop
from genoflow.events.event import Event
from genoflow.events.log.recorded import Recorded
from genoflow.processors.answers import Answers
from genoflow.processors.decision import NOTHING
from genoflow.processors.processor import Processor, State
from genoflow.processors.reading import event_of, line_of

Plain = dict[str, Any]
HOT_STATES_MAX = 10_000  # states kept as objects beside their bytes: 1 kB each, 10 MB


class How(IntEnum):
    """What is done with a record."""

    FOLD = 0  # it counts for the state only
    DECIDE = 1  # it is decided on, and counts for the state
    TRY = 2  # it is decided on, and the state stays: the record was parked here


class Decider:
    """A row of the flow whose states follow the records that it is given."""

    def __init__(self, row: Processor, codec: Codec) -> None:
        self._row = row
        self._codec = codec
        self._decides = frozenset(row.on)
        self._answers = Answers(row, Producer(service=row.name, version="replay"), codec)
        self._initial = row.state()
        self._states: dict[bytes, bytes] = {}
        self._hot: dict[bytes, State] = {}

    def about(self) -> Plain:
        """What the row is."""
        row = self._row
        return {
            "reads": row.reads.name,
            "types": sorted({kind.type() for kind in (*row.on, *row.folds)}),
            "effects": {
                # A revision that does not say it yet may be silent about any of them.
                effect.name: {
                    "emits": sorted(kind.type() for kind in effect.emits),
                    "may_say_nothing": getattr(effect, "may_say_nothing", effect.kind != "timer"),
                }
                for effect in row.effects
            },
        }

    def take(self, record: Recorded, how: How) -> Plain:
        """What the decider answers; an `error` is why a worker would park the record."""
        answer: Plain = {}
        try:
            event = event_of(record)
        except Stop:
            raise
        except Exception as error:  # noqa: BLE001 -- whatever it is, a worker parks it
            return {"error": line_of(error), "error_class": type(error).__name__}
        key = record.key_bytes or b""
        state = self._state(key)
        if how is not How.FOLD and type(event) in self._decides:
            answer = self._decided(record, event, state)
        try:
            after = self._folded(state, event, record.offset)
            kept = self._answers.state(key, state, after)
        except Stop:
            raise
        except Exception as error:  # noqa: BLE001 -- as above; the state stays as it was
            return {"error": line_of(error), "error_class": type(error).__name__}
        if after is not state and how is not How.TRY:
            self._keep(key, after, kept)
        return answer

    def _folded(self, state: State, event: Event, offset: int) -> Any:
        # A row of a revision that knew no offsets yet has its function alone.
        fold = getattr(self._row, "fold", None)
        return self._row.evolve(state, event) if fold is None else fold(state, event, offset)

    def _decided(self, record: Recorded, event: Event, state: State) -> Plain:
        try:
            decision = self._row.decide(state, event)
            if decision is NOTHING:
                return {}
            events = [self._plain(one) for one in self._answers.events(event, decision)]
            effects = self._answers.effects(record, event, decision, ())
        except Stop:
            raise
        except Exception as error:  # noqa: BLE001 -- a decider is code: whatever it raises parks
            return {"error": line_of(error), "error_class": type(error).__name__}
        return {
            "events": events,
            "effects": [
                {
                    "id": str(effect.effect_id), "name": effect.name, "lane": effect.lane,
                    "arguments": effect.arguments,
                }
                for effect in effects
            ],
            "closes": [str(effect) for effect in decision.closes],
        }  # fmt: skip

    def _plain(self, event: Event) -> Plain:
        # Through its bytes and back: what is recorded has been that way too.
        value, headers = self._codec.encode(event)
        read = self._codec.decode(value, header(headers, HEADER_SEAL))
        return {
            "id": str(event.envelope.event_id), "topic": event.topic, "key": event.key,
            "type": event.type(), "payload": read.payload(),
        }  # fmt: skip

    def _state(self, key: bytes) -> State:
        found = self._hot.get(key)
        if found is None:
            kept = self._states.get(key)
            found = self._initial
            if kept is not None:
                found = self._row.state.model_validate_json(kept)
            self._hot[key] = found
        return found

    def _keep(self, key: bytes, after: State | None, kept: bytes | None) -> None:
        if after is None or kept is None:
            self._states.pop(key, None)
            self._hot.pop(key, None)
            return
        self._states[key] = kept
        if len(self._hot) >= HOT_STATES_MAX:
            self._hot.clear()
        self._hot[key] = after


# -- as the child of another process


def packed(record: Recorded, how: How) -> list[Any]:
    """A record as it goes to the child."""
    return [
        record.topic, record.partition, record.offset, record.timestamp_ms,
        _text(record.key_bytes), _text(record.value),
        [[name, _text(value)] for name, value in record.headers], int(how),
    ]  # fmt: skip


def _text(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)


def _unpacked(row: list[Any], codec: Codec) -> tuple[Recorded, How]:
    topic, partition, offset, timestamp_ms, key, value, headers, how = row
    named = [(name, _bytes(content)) for name, content in headers]
    record = Recorded(
        topic, partition, offset, timestamp_ms, _bytes(key), _bytes(value),
        named, codec,
    )  # fmt: skip
    return record, How(how)


def _loaded(name: str, tree: Path) -> tuple[Decider, Codec] | str:
    """The decider of a processor, from this tree and no other; a text is why there is none."""
    if not any((tree / "native").glob("_rust*.so")):
        # It was built of other code: that revision reads by its twin, as it does without a build.
        sys.modules["genoflow.native._rust"] = None  # type: ignore[assignment]
    try:
        from genoflow.events.registry import released  # noqa: PLC0415 -- of that revision
        from genoflow.processors.flow import PROCESSORS  # noqa: PLC0415
    except Exception as error:  # noqa: BLE001 -- that revision is code: it may not even load
        return f"cannot be loaded here ({type(error).__name__}: {error})"
    for called, module in list(sys.modules.items()):
        place = getattr(module, "__file__", None)
        is_ours = called.startswith("genoflow.")
        if is_ours and place and not Path(place).resolve().is_relative_to(tree.resolve()):
            return f"has no {called}; a replay would mix it with the code that runs here"
    row = PROCESSORS.get(name)
    if row is None:
        return f"has no processor {name}; it has {', '.join(sorted(PROCESSORS))}"
    codec = Codec(released())
    return Decider(row, codec), codec


def _answers(decider: Decider, codec: Codec, lines: Iterator[str]) -> Iterator[Plain]:
    for line in lines:
        told: list[Plain] = []
        try:
            for row in json.loads(line):
                record, how = _unpacked(row, codec)
                told.append(decider.take(record, how))
        except Stop as error:
            yield {"stop": str(error)}
            return
        yield {"told": told}


def _main(name: str, tree: Path, source: TextIO, sink: TextIO) -> None:
    loaded = _loaded(name, tree)
    if isinstance(loaded, str):
        first: Plain = {"refused": loaded}
    else:
        first = {"about": loaded[0].about()}
    sink.write(json.dumps(first) + "\n")
    sink.flush()
    if isinstance(loaded, str):
        return
    for answer in _answers(*loaded, iter(source.readline, "")):
        sink.write(json.dumps(answer) + "\n")
        sink.flush()


if __name__ == "__main__":
    # What a decider prints must not get between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    _main(sys.argv[1], Path(sys.argv[2]), sys.stdin, answers)
