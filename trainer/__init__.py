"""trainer learns, proves and promotes models.

`material` is what is learnt from, `learners` are what learns, `evidence` is what is said of it, `heads` do the same for
places and people; `runs`, `versions` and `proof` are what the service and its pages know of them.
"""
