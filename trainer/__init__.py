"""trainer learns, proves and promotes models. Its rooms are built with the first training run."""
