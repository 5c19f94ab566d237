"""Everything that can go wrong on the way to and from the log, and what the reader of it does.

    GenoflowError
    ├── Refused              the input is wrong; nothing was written; mend it and call again
    │   ├── InvalidEvent         an event breaks its own rules or a limit
    │   ├── MalformedEvent       bytes that are not what their schema says (a worker parks the key)
    │   ├── SchemaConflict       a released schema would change its meaning
    │   ├── DamagedFile          a file of records, or a part of a backup, is not as it was written
    │   ├── NotThere             what was asked about does not exist
    │   ├── Contradicted         what stands on the log already says otherwise
    │   └── Parked               an event or an effect that a person has to look at
    ├── Retry                the world is not ready; the same call may succeed later
    │   ├── LogUnavailable       no broker answers
    │   └── OutcomeUnknown       an append may or may not have happened; repeat it with the same ids
    └── Stop                 going on would lose or forge something; the process ends
        ├── UnknownSchema        a schema id or a version that this code does not know
        ├── TopicMissing         a topic is not there
        ├── TopicMismatch        a topic is there with other properties than declared
        ├── Fenced               another owner holds this task now
        ├── StateMismatch        a task's changelog and this code, or its input, do not fit together
        └── StackFault           a server of the embedded stack cannot run

Every message names the place, the fact and the way out.
"""

from __future__ import annotations


class GenoflowError(Exception):
    """The root: one `except` catches all that this product raises on purpose."""


class Refused(GenoflowError):
    """The caller's input is wrong and nothing was written."""


class InvalidEvent(Refused):
    """An event breaks one of its own rules or limits."""


class MalformedEvent(Refused):
    """Bytes are not what their schema says they are."""


class SchemaConflict(Refused):
    """A schema that was released would change its meaning."""


class DamagedFile(Refused):
    """A file of records, or a part of a backup, is not as it was written."""


class NotThere(Refused):
    """What the caller asked about does not exist."""


class Contradicted(Refused):
    """What stands on the log already says otherwise."""


class Parked(Refused):
    """A processor cannot take this event or do this effect until a person has looked at it."""


class Retry(GenoflowError):
    """The world is not ready: the same call may succeed later."""


class LogUnavailable(Retry):
    """No broker answers at the address that the settings name."""


class OutcomeUnknown(Retry):
    """An append may or may not stand on the log; repeating it with the same ids is safe."""


class Stop(GenoflowError):
    """Going on would lose or forge something: the process has to end."""


class UnknownSchema(Stop):
    """A schema id, a type or a version that this code does not know."""


class TopicMissing(Stop):
    """A topic that is declared does not exist on the broker."""


class TopicMismatch(Stop):
    """A topic exists with other properties than declared."""


class Fenced(Stop):
    """Another owner has taken this task over."""


class StateMismatch(Stop):
    """A task's changelog does not fit this code or the topic that it reads."""


class StackFault(Stop):
    """A server of the embedded stack cannot be started or kept."""
