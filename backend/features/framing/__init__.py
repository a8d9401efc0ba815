"""How shots are framed: shot scales, medium close-ups, and dialogue scenes of two characters."""
