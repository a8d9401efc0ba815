"""Speech and cuts by networks: what silero and TransNet say, however the material arrives."""

from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.features import networks
from backend.features.speech import CHUNK_S, SpeechDetector, speech_intervals
from backend.features.transnet import TransNet
from tests.material import frames_of, sound_of


def test_speech_lies_at_the_spoken_lines(films: Path) -> None:
    detector = SpeechDetector()
    sound = sound_of(films / "sintel_trailer_204p.mp4")
    for at in range(0, len(sound), 16000):
        detector.push(sound[at : at + 16000])
    found = detector.intervals()
    for start, end in (
        (11.25, 15.5),
        (18.8, 21.8),
    ):  # the first two spoken lines of the .srt; the third drowns in music
        shared = np.maximum(np.minimum(found[:, 1], end) - np.maximum(found[:, 0], start), 0).sum()
        assert shared > 0.3 * (end - start)
    near = (found[:, 0] > 11) & (found[:, 1] < 22.5)
    assert (found[near, 1] - found[near, 0]).sum() > 0.9 * (found[:, 1] - found[:, 0]).sum()


def test_speech_probabilities_are_sileros(films: Path) -> None:
    from silero_vad.sequence_vad import SileroVADSequence

    sound = sound_of(films / "sintel_trailer_204p.mp4")
    theirs = SileroVADSequence(str(networks.wheel_file("silero_vad", "data/silero_vad_16k_sequence.onnx")))
    detector = SpeechDetector()
    detector.push(sound)
    np.testing.assert_allclose(detector.probabilities(), theirs.audio_forward(sound), atol=1e-4)


def test_silence_and_noise_are_not_speech() -> None:
    noise = np.random.default_rng(0).normal(0, 0.05, 48000).astype(np.float32)
    for sound in (np.zeros(48000, np.float32), noise, np.zeros(0, np.float32)):
        detector = SpeechDetector()
        detector.push(sound)
        assert detector.intervals().shape == (0, 2)


def test_speech_does_not_depend_on_how_the_sound_arrives(films: Path) -> None:
    sound = sound_of(films / "sintel_trailer_204p.mp4")[: 16000 * 22 + 77]
    whole, pieces = SpeechDetector(), SpeechDetector()
    whole.push(sound)
    cuts = np.sort(np.random.default_rng(1).integers(0, len(sound), 40))
    for piece in np.split(sound, cuts):
        pieces.push(piece)
    np.testing.assert_allclose(pieces.probabilities(), whole.probabilities(), atol=1e-5)
    assert len(whole.probabilities()) == -(-len(sound) // 512)


@given(st.integers(0, 2**32 - 1), st.integers(1, 400))
@settings(max_examples=40)
def test_speech_intervals_are_sileros(seed: int, length: int) -> None:
    from silero_vad.utils_vad import get_speech_timestamps_from_probs

    rough = np.random.default_rng(seed).random(length + 4)
    values = np.clip(np.convolve(rough, np.ones(5) / 5, "valid") * 2 - 0.55, 0, 1).astype(np.float32)
    expected = [
        (item["start"] / 16000, item["end"] / 16000) for item in get_speech_timestamps_from_probs(values.tolist())
    ]
    found = speech_intervals(values, length * CHUNK_S)
    np.testing.assert_allclose(found, np.array(expected).reshape(-1, 2), atol=2e-3)


def test_transnet_finds_the_cuts_and_does_not_depend_on_how_frames_arrive(films: Path) -> None:
    import torch

    frames = np.stack(frames_of(films / "sintel_trailer_204p.mp4", range(110, 230), 48, 27))
    network = TransNet()
    for at in range(0, len(frames), 37):
        network.push(frames[at : at + 37])
    assert network.cuts() == [123 - 110, 210 - 110]
    expected, _ = network._network.predict_frames(torch.from_numpy(frames), quiet=True)
    np.testing.assert_allclose(network.probabilities(), expected.numpy(), atol=1e-5)
    assert TransNet().cuts() == []
