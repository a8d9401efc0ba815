"""The viral prior: what makes somebody stop scrolling, from the first seconds on."""

from backend.scoring.prior import Prior

VIRAL = Prior(
    "viral",
    {
        # Felt before anything is understood: sound, pace, movement.
        "loudness": 0.14,
        "onsets": 0.14,
        "cutting": 0.14,
        "motion": 0.14,
        # Somebody looks at us, large enough for a small screen.
        "close_faces": 0.16,
        # The first three seconds decide whether the rest is seen.
        "opening": 0.14,
        "colour": 0.05,
        "contrast": 0.04,
        "music": 0.05,
    },
)
