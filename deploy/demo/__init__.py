"""The demonstration: a cast of six samples, played through the whole flow on a real stack."""
