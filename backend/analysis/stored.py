"""What is known of a film, from what is stored: no film is opened."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from backend.analysis.cache import FilmCache
from backend.analysis.film import Known
from backend.errors import Conflict
from backend.features.registry import EXTRACTORS, profile_named
from backend.features.store import FeatureStore
from backend.media.audio import Sound, whole_seconds


def stored_film(
    home: Path, sha256: str, scan_key: str, profile: str, vectors: Mapping[str, str], audio_track: int = 0
) -> Known:
    """A film as its last analysis left it; `vectors`: extractor → inputs of its feature file.

    Raises Conflict where something of it is missing.
    """
    schema, cache, store = (
        profile_named(profile).schema_for(framing="framing" in vectors),
        FilmCache(home / "films" / sha256),
        FeatureStore(home / "features"),
    )
    scan = cache.load_scan(scan_key)
    features = {name: store.get(sha256, EXTRACTORS[name], inputs=inputs) for name, inputs in vectors.items()}
    lost = sorted(name for name, found in features.items() if found is None)
    if scan is None or lost or any(block.extractor not in features for block in schema.blocks):
        raise Conflict(f"Stored parts of this film are missing ({', '.join(lost) or 'the scan'}); analyse it again.")
    heard = cache.load_sound(audio_track)
    sound = heard.sound if heard else Sound.silence(0)
    kept = {name: found for name, found in features.items() if found is not None}
    return Known(
        scan=scan,
        sound=sound.fitted(whole_seconds(scan.timeline.duration_s)),
        speech_s=heard.speech_s if heard else np.zeros((0, 2)),
        dialogue=(),
        features=kept,
        schema=schema,
        vectors=schema.join({b.name: kept[b.extractor].vectors for b in schema.blocks}),
    )
