"""The room that knows all rooms: settings, wiring, commands and the embedded servers."""
