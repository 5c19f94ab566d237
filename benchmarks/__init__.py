"""Ours beside the anchors, in one run on one machine: see docs/performance.md."""
