"""From a case that is ready to results: what a run is asked for with, and what it leaves."""
