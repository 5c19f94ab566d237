"""The QC profiles that come with the package, as data."""
