"""Windows of a film and what they are worth. Values in, values out: no database, no media, no web."""
