"""How shots are framed, learnt from stills that people labelled: labels, splits, training, figures, a page of them."""
