"""Media for many machines: SELECTS_HOME as a cache in front of a store that all of them share."""
