"""How a model learns: films as folds, the network and what it must beat."""
