"""Prices of machines that come with the package, as data; a deployment names its own."""
