"""The pipelines, shipped as data; they arrive with the launchers."""
