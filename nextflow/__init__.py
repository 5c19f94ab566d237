"""The pipelines, shipped as data."""
