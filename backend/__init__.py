"""backend sees, remembers, serves: films in, ranked clips out."""
