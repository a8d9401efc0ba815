"""The compelling prior: what makes somebody stay to the end, a small story with people in it."""

from backend.scoring.prior import Prior

COMPELLING = Prior(
    "compelling",
    {
        # A clip that starts and ends with the story's own edges can stand alone.
        "wholeness": 0.18,
        # People, and what they say to each other.
        "faces": 0.14,
        "close_faces": 0.06,
        "speech": 0.16,
        # Quiet and loud, slow and fast: tension and release instead of one note.
        "loudness_range": 0.12,
        "energy_range": 0.10,
        # It goes somewhere.
        "rise": 0.12,
        "variety": 0.12,
    },
)
