"""A picture that somebody sends as an example: decoded with care, and made as large as keyframes are."""

import io

import numpy as np
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from backend.errors import InputError, TooLarge
from backend.features.base import Image

LIMIT_BYTES = 20 << 20
FIELD = "image"
FORM_BYTES = 64 << 10
"""What a form may have around the picture."""

LIMIT_PIXELS = 100_000_000
WIDTH = 320
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")


class NotAPicture(InputError):
    """This file cannot be read as a picture; JPEG, PNG, WebP, GIF, BMP and TIFF can."""


async def received(request: Request) -> bytes:
    """The picture that a request brings, as its body or as `image` of a form; raises TooLarge, NotAPicture.

    No more than the limit is ever taken in, whatever the request says of its length.
    """
    taken = bytearray()
    async for chunk in request.stream():
        taken += chunk
        if len(taken) > LIMIT_BYTES + FORM_BYTES:
            raise TooLarge(f"The picture is larger than {LIMIT_BYTES >> 20} MB.")
    if not request.headers.get("content-type", "").startswith("multipart/"):
        return bytes(taken)

    async def again() -> Message:
        return {"type": "http.request", "body": bytes(taken), "more_body": False}

    try:
        async with Request(request.scope, again).form(max_files=1, max_fields=10) as form:
            sent = form.get(FIELD)
            if not isinstance(sent, UploadFile):
                raise NotAPicture(f"Send the picture as the file {FIELD!r} of the form, or as the whole body.")
            return await sent.read()
    except (HTTPException, KeyError):
        raise NotAPicture("The form cannot be read.") from None


def read_picture(data: bytes) -> Image:
    """RGB uint8 [height, 320, 3], turned as the camera says; raises NotAPicture, TooLarge."""
    from PIL import Image as Pictures
    from PIL import ImageOps, UnidentifiedImageError

    Pictures.init()

    try:
        with Pictures.open(io.BytesIO(data), formats=FORMATS) as picture:
            # The header says the size: nothing is decoded of a picture that would fill the memory.
            if picture.width * picture.height > LIMIT_PIXELS:
                raise TooLarge(f"The picture has more than {LIMIT_PIXELS // 1_000_000} million pixels.")
            picture.draft("RGB", (2 * WIDTH, 2 * WIDTH))
            upright = ImageOps.exif_transpose(picture).convert("RGB")
            height = max(1, round(upright.height * WIDTH / upright.width))
            return np.array(upright.resize((WIDTH, min(height, 16 * WIDTH)), Pictures.Resampling.BILINEAR))
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Pictures.DecompressionBombError):
        raise NotAPicture from None
