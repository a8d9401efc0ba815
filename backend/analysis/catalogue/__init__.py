"""Features of a catalogue of titles: from a folder or a table to vectors of every one."""
