"""Names and units of what the decode pass measures, per frame and per second."""

FRAME_SIGNALS = ("change", "motion", "light", "contrast", "colour", "flatness")
"""Columns of the per-frame table (float32, all 0 … 1).

change    mean absolute HSV difference to the frame before (PySceneDetect's content value / 255)
motion    mean absolute luma difference to the frame before
light     mean luma
contrast  standard deviation of luma
colour    mean saturation
flatness  share of pixels in the most frequent of 16 luma bins (1 for black, titles and logos on a plain ground)
"""

SECOND_SIGNALS = ("motion", "light", "contrast", "colour", "cuts", "loudness_db", "onsets", "speech", "music")
"""Names of the per-second signals (float64 [S]).

motion, light, contrast, colour   means of the frame signals over the second
cuts          number of cuts in the second
loudness_db   K-weighted loudness, dB relative to full scale; -70 in silence and where there is no audio
onsets        mean onset strength (librosa), 0 where there is no audio
speech        share of the second in which somebody speaks
music         likelihood of music, 0 … 1
"""
