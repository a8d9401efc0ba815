"""The library: projects, movies, shots, scenes and candidates."""
