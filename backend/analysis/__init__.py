"""From a film file to an analysis, and from an analysis to ranked clips."""
