"""Reading and writing films. The only package that knows PyAV and ffmpeg; it knows no database and no model."""
