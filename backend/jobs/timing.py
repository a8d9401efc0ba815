"""How often workers say that they live, and after how long without a word they are dead."""

BEAT_EVERY_S = 1.0
SILENT_S = 5.0
