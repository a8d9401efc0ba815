"""What routes of lists ask for by type."""

from typing import Annotated

from fastapi import Depends, Header, Response

from labeling.lists.models import StoredList


async def _version(
    if_match: Annotated[
        str | None,
        Header(
            pattern=r'^(\*|(W/)?"?\d{1,9}"?)$',
            description="The version that you have seen: where the list is another by now, nothing is done (409).",
            examples=['"3"'],
        ),
    ] = None,
) -> int | None:
    said = (if_match or "*").removeprefix("W/").strip('"')
    return None if said == "*" else int(said)


VersionDep = Annotated[int | None, Depends(_version)]
"""The version that who asks has seen, None where they do not say."""


def tag(response: Response, clip_list: StoredList) -> None:
    """Say which version of the list this is."""
    response.headers["ETag"] = f'"{clip_list.version}"'
