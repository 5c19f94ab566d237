"""What can be mixed up before a lab knows: whose reads they are, and what an order says of whom.

The truth and, but for a wrong sex, the orders stay those of the people on the labels. A mix-up is
found in the results alone: files, checksums and qualities are all in order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import accumulate
from typing import Any

from genoflow.deploy.generate.cast import Cast, sequenced
from genoflow.deploy.generate.libraries import Library
from genoflow.deploy.generate.reads import READ_BASES, contaminated
from genoflow.deploy.generate.variants import FEMALE, MALE, make_subject, sites_of
from genoflow.events.errors import Refused

SINGLE, FOREIGN, NORMAL = "SIM-A", "SIM-B", "SIM-E"
FOREIGN_FRACTION = 0.1  # three times what the simulated profile tolerates
STRANGER = "subject-9"
OTHER_SEX = {FEMALE: MALE, MALE: FEMALE}


def swapped_samples(cast: Cast) -> Cast:
    """A's reads under E's name and E's under A's: two people of two sexes, in two cases."""
    one, other = _of(cast, SINGLE), _of(cast, NORMAL)
    changed = [
        *(replace(a, pairs=b.pairs) for a, b in zip(one, other, strict=True)),
        *(replace(b, pairs=a.pairs) for a, b in zip(one, other, strict=True)),
    ]
    return _with(cast, changed)


def contaminated_sample(cast: Cast) -> Cast:
    """A tenth of A's reads are B's."""
    foreign = _of(cast, FOREIGN)
    seed = str(cast.run.seed)
    changed = [
        replace(own, pairs=contaminated(own.pairs, other.pairs, FOREIGN_FRACTION, seed))
        for own, other in zip(_of(cast, SINGLE), foreign, strict=True)
    ]
    return _with(cast, changed)


def unrelated_normal(cast: Cast) -> Cast:
    """E's reads are those of somebody else of the same sex."""
    genome, seed, instrument = cast.genome, cast.run.seed, cast.run.instrument
    sex = cast.subjects[NORMAL].sex
    stranger = make_subject(STRANGER, sites_of(genome, seed), seed, sex)
    own = _of(cast, NORMAL)
    depth = sum(len(one.pairs) for one in own) * 2 * READ_BASES / genome.length
    made = sequenced(own[0], genome, stranger, seed, depth, instrument).pairs
    # Of all lanes together, or each lane of a pool would hold the same reads.
    ends = list(accumulate(len(one.pairs) for one in own))
    changed = [
        replace(one, pairs=made[end - len(one.pairs) : end])
        for one, end in zip(own, ends, strict=True)
    ]
    return _with(cast, changed)


def wrong_sex(orders: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The order of A says the other sex."""
    return [
        order
        | {
            "members": [
                one | {"declared_sex": OTHER_SEX[one["declared_sex"]]}
                if one["sample_id"] == SINGLE
                else one
                for one in order["members"]
            ]
        }
        for order in orders
    ]


def _of(cast: Cast, sample_id: str) -> list[Library]:
    found = [one for one in cast.run.libraries if one.sample_id == sample_id]
    if not found:
        raise Refused(f"{sample_id} is not on the run; this fault needs it there")
    return found


def _with(cast: Cast, changed: Iterable[Library]) -> Cast:
    """The cast with these libraries, each where its namesake of the same lane was."""
    new = {(one.library_id, one.lane): one for one in changed}
    libraries = (new.get((one.library_id, one.lane), one) for one in cast.run.libraries)
    return replace(cast, run=replace(cast.run, libraries=tuple(libraries)))
