"""POST /api/movies/sample: a film for whoever has none at hand, drawn by this server."""

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlmodel import Session

from backend.answers import errors
from backend.dependencies import PrincipalDep, ResourcesDep
from backend.errors import NotAllowed, NotFound, OutputError
from backend.jobs.service import enqueue, public
from backend.library import service
from backend.library.models import MovieFacts
from backend.library.shapes import Added
from backend.library.shown import shown
from backend.media.sample import make_sample
from backend.store.media import present, publish

FILE = "library-sample.mp4"
TITLE = "Sample film"

router = APIRouter(tags=["library"])


class SampleWanted(BaseModel):
    """Where the sample film is to go; without a project into your first."""

    project: int | None = Field(default=None, ge=1, le=2**31 - 1, examples=[1])


@router.post("/movies/sample", status_code=202, responses=errors(NotFound, NotAllowed, OutputError))
def add_sample(wanted: SampleWanted, who: PrincipalDep, resources: ResourcesDep) -> Added:
    """Draw a synthetic film of about five minutes, add it, and analyse it. Where it is already, it is that one."""
    with Session(resources.reading) as session:
        project = service.project_for(session, who, wanted.project, "curator")
    path = resources.home / "sample" / FILE
    if not present(path).is_file():
        make_sample(path)
    publish(path)
    film = service.NewFilm(
        path=path,
        source="path",
        size_bytes=path.stat().st_size,
        facts=MovieFacts(title=TITLE),
        profile=resources.settings.analysis.profile,
    )
    with Session(resources.engine) as session:
        movie, job, known = service.add_movie(session, project, film, who.name)
        public_film = shown(session, [movie])[0]
        session.commit()
        if job is not None:
            enqueue(resources.queue, job)
        return Added(movie=public_film, job=public(job, movie.title) if job else None, known=known)
