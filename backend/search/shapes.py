"""What the search API gives."""

from typing import Literal

from pydantic import BaseModel, Field

from backend.paging import Paged


class Found(BaseModel):
    """Why a shot was found.

    by     `look`: it looks alike, or like what the words say; `dialogue`: it is said there; `label`: it may show it
    text   the line that is said, or the label
    marks  where the searched words stand in `text`: start and end of each, in characters
    """

    by: Literal["look", "dialogue", "label"]
    score: float = Field(ge=0, le=1, description="0: nothing to do with it, 1: the same.", examples=[0.82])
    text: str | None = Field(default=None, examples=["A lone warrior should know better."])
    marks: list[tuple[int, int]] = Field(default_factory=list, examples=[[[2, 6]]])
    start_s: float | None = Field(default=None, description="When the line is said, seconds.")
    end_s: float | None = None


class Hit(BaseModel):
    """A shot that was found. `score` is the best of `found_by`."""

    movie_id: int
    movie_title: str = Field(examples=["Sintel"])
    project_id: int
    year: int | None = Field(examples=[2010])
    shot: int = Field(description="The shot's number within the film.")
    scene: int
    start_frame: int
    end_frame: int
    start_s: float
    end_s: float
    picture: str | None = Field(
        description="Address of its middle keyframe.", examples=["/api/movies/1/frames/42.jpg?of=0f8fad5b"]
    )
    score: float = Field(ge=0, le=1, examples=[0.82])
    found_by: list[Found]


class Similar(Paged[Hit]):
    """Shots, the most alike first. `total` counts all that pass the filters, as far as they are listed (1,000).

    space  which vectors were compared
    how    `exact`: every vector was looked at; `index`: Chroma proposed some and they were compared exactly
    model  the metric head that put them in order, as corrections of clusters have taught it; null: the plain embedding
    """

    space: str = Field(examples=["efficientnet"])
    how: Literal["exact", "index"]
    films: int = Field(ge=0, description="In how many films was searched.")
    model: str | None = Field(default=None, examples=["metric-scene-0f8fad5b-0-1c9e2d"])


class Words(Paged[Hit]):
    """Shots, the best first.

    searched  in how many films was searched, by each way; a way that found nothing to search in has 0
    """

    searched: dict[Literal["look", "dialogue", "label"], int] = Field(
        examples=[{"look": 0, "dialogue": 12, "label": 12}]
    )
    note: str = Field(default="", description="What could not be searched, and why.")


class AlikeFor(BaseModel):
    """What of two films is alike: what their plots tell, or what their posters show."""

    by: Literal["plot", "poster"]
    score: float = Field(ge=0, le=1, description="0: nothing to do with it, 1: the same.", examples=[0.41])


class AlikeFilm(BaseModel):
    """A film like another. `score`: the mean over what that one has, plot and poster; what this one lacks counts 0."""

    movie_id: int
    title: str = Field(examples=["Sintel"])
    year: int | None = Field(examples=[2010])
    picture: str | None = Field(examples=["/api/movies/2/picture"])
    score: float = Field(ge=0, le=1, examples=[0.38])
    found_by: list[AlikeFor]


class AlikeFilms(BaseModel):
    """Films like one, the most alike first.

    by       what it is compared by: what the film has, a plot, a poster
    waiting  films that are not compared yet: ask again
    """

    items: list[AlikeFilm]
    by: list[Literal["plot", "poster"]]
    waiting: int = Field(ge=0)
    note: str = Field(default="", description="Why nothing could be compared.")
