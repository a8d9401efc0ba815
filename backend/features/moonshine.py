"""Speech to text: moonshine tiny-en (Jeffries et al. 2024; MIT, weights in the wheel moonshine-voice). English only.

Run by onnxruntime from the wheel's files. The wheel's own code is never imported: it brings a second runtime, a
microphone and a downloader.
"""

import importlib.metadata
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.features.networks import open_session, wheel_file

Floats = NDArray[np.float32]

SAMPLE_RATE_HZ = 16_000
PACKAGE, FOLDER = "moonshine_voice", "assets/tiny-en"
ENCODER, DECODER, TOKENS = "encoder_model.ort", "decoder_model_merged.ort", "tokenizer.bin"
START, END = 1, 2
TOKENS_PER_S = 8
"""More than anybody says; the model stops by itself unless it has lost itself in repetitions."""

LEAST_SAMPLES = 1600
"""Its first layers give nothing of less than 895 samples."""


@dataclass(frozen=True)
class Recognised:
    """What was understood: the text, the mean log probability of its tokens, and whether the model came to an end."""

    text: str
    log_probability: float
    ended: bool


class SpeechRecogniser:
    """The network and its vocabulary, opened once (44 MB); `recognise` may run in several threads."""

    name = "moonshine-tiny-en"
    version = 1

    def __init__(self) -> None:
        """Open the networks; raises MissingWeights where the wheel is not installed."""
        self._words = _vocabulary(wheel_file(PACKAGE, f"{FOLDER}/{TOKENS}"))
        self._encoder: Any = open_session(wheel_file(PACKAGE, f"{FOLDER}/{ENCODER}"))
        self._decoder: Any = open_session(wheel_file(PACKAGE, f"{FOLDER}/{DECODER}"))
        self._outputs = [output.name.replace("present", "past_key_values") for output in self._decoder.get_outputs()]
        self._empty = {
            given.name: np.zeros((1, given.shape[1], 0, given.shape[3]), np.float32)
            for given in self._decoder.get_inputs()
            if given.name.startswith("past_key_values")
        }

    def recognise(self, samples: Floats) -> Recognised:
        """Understand one stretch of speech: mono float32 [n], 16 kHz, up to half a minute."""
        sound = np.zeros((1, max(len(samples), LEAST_SAMPLES)), np.float32)
        sound[0, : len(samples)] = samples
        heard = np.ones(sound.shape, np.int64)
        states = self._encoder.run(None, {"input_values": sound, "attention_mask": heard})[0]
        fixed = {"encoder_attention_mask": heard, "encoder_hidden_states": states}
        past, token, tokens, total = self._empty, START, list[int](), 0.0
        for step in range(ceil(TOKENS_PER_S * sound.shape[1] / SAMPLE_RATE_HZ)):
            feed = {"input_ids": np.array([[token]], np.int64), "use_cache_branch": np.array([step > 0])}
            logits, *present = self._decoder.run(None, {**fixed, **feed, **past})
            given = zip(self._outputs[1:], present, strict=True)
            # The keys of what was heard are made by the first run only.
            past = {**past, **{name: value for name, value in given if not step or ".decoder." in name}}
            token, log_probability = _likeliest(logits[0, -1])
            total += log_probability
            if token == END:
                return Recognised(self._text(tokens), total / (step + 1), ended=True)
            tokens.append(token)
        return Recognised(self._text(tokens), total / max(len(tokens), 1), ended=False)

    def _text(self, tokens: list[int]) -> str:
        raw = b"".join(self._words[token] for token in tokens)
        return " ".join(raw.decode("utf-8", "ignore").replace("▁", " ").split())


def stamp() -> str:
    """What decides a transcript besides the film, for a cache key; raises MissingWeights where the wheel is missing."""
    wheel_file(PACKAGE, f"{FOLDER}/{TOKENS}")
    return f"{SpeechRecogniser.name}-{SpeechRecogniser.version}-{importlib.metadata.version(PACKAGE)}"


def _likeliest(logits: Floats) -> tuple[int, float]:
    """The likeliest token and its log probability, from logits [vocabulary]."""
    token = int(logits.argmax())
    return token, -float(np.log(np.exp(logits - logits[token], dtype=np.float64).sum()))


def _vocabulary(path: Path) -> list[bytes]:
    """The bytes of each token. The file: a length (7 bits, or two bytes where it is 128 and more) and the bytes, again
    and again. Marks (`<s>`, `<<ST_0>>`) say nothing.
    """
    data, at, words = path.read_bytes(), 0, list[bytes]()
    while at < len(data):
        size, at = data[at], at + 1
        if size >= 128:
            size, at = size - 128 + 128 * data[at], at + 1
        word, at = data[at : at + size], at + size
        words.append(b"" if word.startswith(b"<") and word.endswith(b">") and len(word) > 2 else word)
    return words
