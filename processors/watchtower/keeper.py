"""Who keeps the tower: one process at a time, which sees the whole log; others stand by.

Quantiles, rates and charts are of the lab, not of a share of its partitions, and one process folds
a hundred times what a lab writes. So all partitions go to one member of the group: to the one that
has them, else to the first by name. Should it die, the group gives them to the next.
"""

from __future__ import annotations

from typing import Any

from faust.assignor.client_assignment import ClientAssignment
from faust.assignor.partition_assignor import PartitionAssignor


class OneKeeper(PartitionAssignor):
    """Gives all partitions to one member of the group."""

    def _perform_assignment(self, cluster: Any, member_metadata: Any) -> Any:
        known = {
            member: self._get_client_metadata(metadata)
            for member, metadata in member_metadata.items()
        }
        having = [member for member, metadata in known.items() if metadata.assignment.actives]
        keeper = min(having or known)
        given = super()._perform_assignment(cluster, {keeper: member_metadata[keeper]})
        self._update_member_urls(known)
        nothing = {
            member: ClientAssignment(actives={}, standbys={})
            for member in known
            if member != keeper
        }
        return {**given, **self._protocol_assignments(nothing, {}, {}, {})}
