"""The catalogue of features: vectors of plots, posters, sound and film, one model a file."""
