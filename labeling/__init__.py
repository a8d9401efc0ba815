"""labeling chooses what to ask curators and remembers what they answered. Its rooms are built with the review pages."""
