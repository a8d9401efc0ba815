"""Who may what: every route of the application against every kind of person, on both databases.

`outsider` is admin of another project. A number is the status of the answer; 404 is what a project looks like to who is
no member, 409 what a film that is not analysed is to who may, 503 that no worker runs here and no large model is at
hand, and `may` a 404 that says something else than it says to strangers. A route that is not in the table fails a test
below.
"""

import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from PIL import Image
from starlette.routing import BaseRoute

from backend.jobs.queue import migrate_jobs
from backend.members.gate import OPEN
from tests.databases import KINDS, database_of
from tests.service import Service, running
from tests.world import (
    ASKERS,
    CHALLENGER,
    CLUSTER,
    CORRECTION,
    DECISION,
    ENTRY,
    EXPORT,
    FILM,
    INVITATION,
    INVITED,
    KEYFRAME,
    LIST,
    LOOSE,
    MANUAL,
    MOVIE,
    OTHER_CLUSTER,
    PERSONS,
    PROJECT,
    RANKED,
    SHA256,
    VIEWERS_MEMBERSHIP,
    WEBHOOK,
    make_world,
    secret_of,
)


def _pixel() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "png")
    return file.getvalue()


def _record() -> bytes:
    window = {"movie_sha256": SHA256, "start_frame": 1, "end_frame": 51, "start_s": 0.04, "end_s": 2.04}
    said = {"key": "carried-in", "curator": "Ada", "verdict": "approve", "decided_at": "2026-11-20T12:00:00Z"}
    return json.dumps(window | said | {"strategy": "chosen"}).encode()


IDS = {
    "movie_id": MOVIE,
    "frame": KEYFRAME,
    "candidate_id": MANUAL,
    "decision_id": DECISION,
    "cluster_id": CLUSTER,
    "correction_id": CORRECTION,
    "reference_id": 1,
    "interval_id": 1,
    "list_id": LIST,
    "entry_id": ENTRY,
    "export_id": EXPORT,
    "webhook_id": WEBHOOK,
    "project_id": PROJECT,
    "job_id": "done",
    "run_id": "trained",
    "version": CHALLENGER,
    "token_id": PERSONS["viewer"],
    "member_id": VIEWERS_MEMBERSHIP,
    "invitation_id": INVITATION,
}
HERE = {"params": {"project": PROJECT}}
POSTER = {"content": b"\x89PNG\r\n\x1a\n"}
INVITE = {"json": {"project_id": PROJECT, "name": "Ben", "role": "viewer"}}
SIGN_IN, SIGN_IN_FORM = {"json": {"token": "slc_viewer"}}, {"data": {"token": "slc_viewer"}}
OPEN_LINK, ACCEPT = {"params": {"token": INVITED}}, {"data": {"token": INVITED}}
SCORE = {"json": {"movie": MOVIE}}
WORDS = {"params": {"project": PROJECT, "q": "a rabbit"}}
LIKE = {"params": {"movie": MOVIE, "start_frame": 0, "end_frame": 50}}
PICTURE = {"params": {"project": PROJECT}, "content": _pixel(), "headers": {"content-type": "image/png"}}
DECIDE = {"json": {"candidate": RANKED, "verdict": "approve", "key": "decided-now"}}
COUNTED = {"platform": "youtube", "clip": "abc", "measured_at": "2026-11-20", "views": 5}
ENGAGEMENT = {"params": {"project": PROJECT}, "json": COUNTED | {"candidate": RANKED}}
CARRIED = {"params": {"project": PROJECT}, "content": _record(), "headers": {"content-type": "application/x-ndjson"}}
OVERLAP = {"params": {"project": PROJECT}, "json": {"overlap": 0.2}}
DUEL = {"params": {"project": PROJECT, "rival": "first"}}
RELEASE = {"json": {"project": PROJECT, "candidates": [RANKED]}}
REFERENCE = {"json": {"movie": MOVIE, "path": "new.mp4"}}
CLIP = {"json": {"start_frame": 10, "end_frame": 40}}
NEW_LIST, RULE = {"json": {"name": "x", "project": PROJECT}}, {"json": {"project": PROJECT, "rule": {}}}
BY_RULE = {"json": {"name": "x", "project": PROJECT, "rule": {}}}
EDIT = {"data": {"project": PROJECT}, "files": {"file": ("promo.edl", b"TITLE: nothing")}}
ENTRIES, OUT = {"json": {"entries": [{"candidate": MANUAL}]}}, {"params": {"entries": [ENTRY]}}
MOVE, NOTE = {"json": {"entries": [ENTRY]}}, {"json": {"note": "x"}}
AS_JSON, HANDLES = {"params": {"format": "json"}}, {"json": {"handles": 5}}
HOOK = {"json": {"url": "https://example.com/x", "project": PROJECT}}
NEW_PLACE = {"params": {"project": PROJECT}, "json": {"kind": "scene", "items": [LOOSE], "name": "Street"}}
MOVED, NOT_THIS = {"json": {"items": [LOOSE]}}, {"params": {"items": [CLUSTER]}}
MERGE = {"json": {"into": CLUSTER, "clusters": [OTHER_CLUSTER]}}
SPLIT = {"json": {"cluster": CLUSTER, "items": [CLUSTER], "name": "Pantry"}}
CORRECTED = "/api/clusters/corrections/{correction_id}"
INTERVAL = "/api/references/{reference_id}/intervals/{interval_id}"
EXPORTED = "/api/lists/{list_id}/exports/{export_id}"
LOADED = ("/static/0/app.js", "/_nicegui/0/static/nicegui.js", "/_nicegui_ws/socket.io", "/no/such/page")
OPEN_RUN = {"ids": {"run_id": "waits"}}
WAITING, FAILED = {"ids": {"job_id": "queued"}}, {"ids": {"job_id": "failed"}}

# fmt: off
TABLE: tuple[tuple[str, str, dict[str, Any], str], ...] = (
    # route                                                  request                      anon out view cur adm super
    ("GET",    "/api/session",                               {},                          "401 200 200 200 200 200"),
    ("POST",   "/api/session",                               SIGN_IN,                     "200 200 200 200 200 200"),
    ("DELETE", "/api/session",                               {},                          "401 204 204 204 204 204"),
    ("GET",    "/api/tokens",                                {},                          "401 200 200 200 200 200"),
    ("POST",   "/api/tokens",                                {"json": {"name": "x"}},     "401 201 201 201 201 201"),
    ("DELETE", "/api/tokens/{token_id}",                     {},                          "401 404 204 404 404 404"),
    ("GET",    "/api/members",                               HERE,                        "401 404 200 200 200 200"),
    ("PATCH",  "/api/members/{member_id}",                   {"json": {"role": "admin"}}, "401 404 403 403 200 200"),
    ("DELETE", "/api/members/{member_id}",                   {},                          "401 404 403 403 204 204"),
    ("GET",    "/api/members/invitations",                   HERE,                        "401 404 403 403 200 200"),
    ("POST",   "/api/members/invitations",                   INVITE,                      "401 404 403 403 201 201"),
    ("DELETE", "/api/members/invitations/{invitation_id}",   {},                          "401 404 403 403 204 204"),

    ("GET",    "/api/projects",                              {},                          "401 200 200 200 200 200"),
    ("POST",   "/api/projects",                              {"json": {"name": "x"}},     "401 403 403 403 403 201"),
    ("GET",    "/api/movies",                                HERE,                        "401 404 200 200 200 200"),
    ("POST",   "/api/movies",                                FILM,                        "401 404 403 202 202 202"),
    ("POST",   "/api/movies/sample",                         {"json": {"project": 1}},    "401 404 403 202 202 202"),
    ("GET",    "/api/movies/{movie_id}",                     {},                          "401 404 200 200 200 200"),
    ("PATCH",  "/api/movies/{movie_id}",                     {"json": {"title": "New"}},  "401 404 403 200 200 200"),
    ("DELETE", "/api/movies/{movie_id}",                     {},                          "401 404 403 403 204 204"),
    ("POST",   "/api/movies/{movie_id}/analyse",             {},                          "401 404 403 202 202 202"),
    ("GET",    "/api/movies/{movie_id}/shots",               {},                          "401 404 200 200 200 200"),
    ("GET",    "/api/movies/{movie_id}/scenes",              {},                          "401 404 200 200 200 200"),
    ("GET",    "/api/movies/{movie_id}/lines",               {},                          "401 404 200 200 200 200"),
    ("GET",    "/api/movies/{movie_id}/candidates",          {},                          "401 404 200 200 200 200"),
    ("POST",   "/api/movies/{movie_id}/candidates",          CLIP,                        "401 404 403 409 409 409"),
    ("DELETE", "/api/candidates/{candidate_id}",             {},                          "401 404 403 204 204 204"),
    ("GET",    "/api/movies/{movie_id}/media",               {},                          "401 404 200 200 200 200"),
    ("GET",    "/api/movies/{movie_id}/frames/{frame}.jpg",  {},                          "401 404 200 200 200 200"),
    ("GET",    "/api/movies/{movie_id}/picture",             {},                          "401 404 200 200 200 200"),
    ("PUT",    "/api/movies/{movie_id}/poster",              POSTER,                      "401 404 403 200 200 200"),
    ("POST",   "/api/score",                                 SCORE,                       "401 404 409 409 409 409"),
    ("GET",    "/api/search",                                WORDS,                       "401 404 200 200 200 200"),
    ("GET",    "/api/movies/{movie_id}/similar",             {},                          "401 404 200 200 200 200"),
    ("GET",    "/api/similar",                               LIKE,                        "401 404 may may may may"),
    ("POST",   "/api/similar",                               PICTURE,                     "401 404 200 200 200 200"),

    ("GET",    "/api/clusters",                              HERE,                        "401 404 200 200 200 200"),
    ("POST",   "/api/clusters",                              NEW_PLACE,                   "401 404 403 201 201 201"),
    ("GET",    "/api/clusters/suggestions",                  HERE,                        "401 404 200 200 200 200"),
    ("GET",    "/api/clusters/corrections",                  HERE,                        "401 404 200 200 200 200"),
    ("POST",   f"{CORRECTED}/undo",                          {},                          "401 404 403 200 200 200"),
    ("GET",    f"{CORRECTED}/more",                          {},                          "401 404 200 200 200 200"),
    ("POST",   f"{CORRECTED}/more",                          {},                          "401 404 403 409 409 409"),
    ("POST",   "/api/clusters/merge",                        MERGE,                       "401 404 403 200 200 200"),
    ("POST",   "/api/clusters/split",                        SPLIT,                       "401 404 403 201 201 201"),
    ("POST",   "/api/clusters/refresh",                      HERE,                        "401 404 403 202 202 202"),
    ("GET",    "/api/clusters/{cluster_id}",                 {},                          "401 404 200 200 200 200"),
    ("PATCH",  "/api/clusters/{cluster_id}",                 {"json": {"name": "Hall"}},  "401 404 403 200 200 200"),
    ("GET",    "/api/clusters/{cluster_id}/members",         {},                          "401 404 200 200 200 200"),
    ("POST",   "/api/clusters/{cluster_id}/members",         MOVED,                       "401 404 403 200 200 200"),
    ("DELETE", "/api/clusters/{cluster_id}/members",         NOT_THIS,                    "401 404 403 200 200 200"),
    ("GET",    "/api/noise",                                 HERE,                        "401 404 200 200 200 200"),
    ("GET",    "/api/feedback",                              HERE,                        "401 404 200 200 200 200"),

    ("GET",    "/api/queue",                                 HERE,                        "401 404 200 200 200 200"),
    ("PATCH",  "/api/queue",                                 OVERLAP,                     "401 404 403 403 200 200"),
    ("GET",    "/api/queue/next",                            HERE,                        "401 404 403 200 200 200"),
    ("POST",   "/api/queue/release",                         RELEASE,                     "401 404 403 200 200 200"),
    ("GET",    "/api/candidates/{candidate_id}/context",     {},                          "401 404 200 200 200 200"),
    ("GET",    "/api/decisions",                             HERE,                        "401 404 200 200 200 200"),
    ("POST",   "/api/decisions",                             DECIDE,                      "401 404 403 201 201 201"),
    ("POST",   "/api/decisions/{decision_id}/undo",          {},                          "401 404 403 201 403 403"),
    ("GET",    "/api/decisions/export",                      HERE,                        "401 404 200 200 200 200"),
    ("POST",   "/api/decisions/import",                      CARRIED,                     "401 404 403 403 200 200"),
    ("GET",    "/api/engagement",                            HERE,                        "401 404 200 200 200 200"),
    ("POST",   "/api/engagement",                            ENGAGEMENT,                  "401 404 403 200 200 200"),
    ("GET",    "/api/agreement",                             HERE,                        "401 404 200 200 200 200"),
    ("GET",    "/api/agreement/duel",                        DUEL,                        "401 404 200 200 200 200"),

    ("GET",    "/api/references",                            HERE,                        "401 404 200 200 200 200"),
    ("POST",   "/api/references",                            REFERENCE,                   "401 404 403 202 202 202"),
    ("GET",    "/api/references/{reference_id}",             {},                          "401 404 200 200 200 200"),
    ("DELETE", "/api/references/{reference_id}",             {},                          "401 404 403 204 204 204"),
    ("GET",    "/api/references/{reference_id}/intervals",   {},                          "401 404 200 200 200 200"),
    ("POST",   f"{INTERVAL}/withdraw",                       {},                          "401 404 403 200 200 200"),
    ("POST",   f"{INTERVAL}/restore",                        {},                          "401 404 403 200 200 200"),
    ("GET",    "/api/references/{reference_id}/labels",      {},                          "401 404 409 409 409 409"),

    ("GET",    "/api/lists",                                 HERE,                        "401 404 200 200 200 200"),
    ("POST",   "/api/lists",                                 NEW_LIST,                    "401 404 403 201 201 201"),
    ("POST",   "/api/lists/by-rule",                         BY_RULE,                     "401 404 403 201 201 201"),
    ("POST",   "/api/lists/by-rule/preview",                 RULE,                        "401 404 200 200 200 200"),
    ("POST",   "/api/lists/import",                          EDIT,                        "401 404 403 422 422 422"),
    ("GET",    "/api/lists/{list_id}",                       {},                          "401 404 200 200 200 200"),
    ("PATCH",  "/api/lists/{list_id}",                       NOTE,                        "401 404 403 200 200 200"),
    ("DELETE", "/api/lists/{list_id}",                       {},                          "401 404 403 204 204 204"),
    ("POST",   "/api/lists/{list_id}/approve",               {},                          "401 404 403 200 200 200"),
    ("POST",   "/api/lists/{list_id}/reopen",                {},                          "401 404 403 200 200 200"),
    ("GET",    "/api/lists/{list_id}/entries",               {},                          "401 404 200 200 200 200"),
    ("POST",   "/api/lists/{list_id}/entries",               ENTRIES,                     "401 404 403 201 201 201"),
    ("DELETE", "/api/lists/{list_id}/entries",               OUT,                         "401 404 403 200 200 200"),
    ("POST",   "/api/lists/{list_id}/entries/move",          MOVE,                        "401 404 403 200 200 200"),
    ("PATCH",  "/api/lists/{list_id}/entries/{entry_id}",    NOTE,                        "401 404 403 200 200 200"),
    ("POST",   "/api/lists/{list_id}/rule/preview",          {"json": {"rule": {}}},      "401 404 200 200 200 200"),
    ("POST",   "/api/lists/{list_id}/rule/run",              {"json": {"rule": {}}},      "401 404 403 200 200 200"),
    ("GET",    "/api/lists/{list_id}/preflight",             {},                          "401 404 200 200 200 200"),
    ("GET",    "/api/lists/{list_id}/export",                AS_JSON,                     "401 404 200 200 200 200"),
    ("POST",   "/api/lists/{list_id}/render",                {"json": {}},                "401 404 403 202 202 202"),
    ("GET",    "/api/lists/{list_id}/exports",               {},                          "401 404 200 200 200 200"),
    ("GET",    "/api/lists/{list_id}/exports/{export_id}",   {},                          "401 404 200 200 200 200"),
    ("GET",    f"{EXPORTED}/made-of",                        {},                          "401 404 200 200 200 200"),
    ("GET",    "/api/projects/{project_id}/exports",         {},                          "401 404 200 200 200 200"),
    ("PUT",    "/api/projects/{project_id}/exports",         HANDLES,                     "401 404 403 403 200 200"),
    ("GET",    "/api/webhooks",                              HERE,                        "401 404 403 403 200 200"),
    ("POST",   "/api/webhooks",                              HOOK,                        "401 404 403 403 201 201"),
    ("GET",    "/api/webhooks/{webhook_id}",                 {},                          "401 404 403 403 200 200"),
    ("PATCH",  "/api/webhooks/{webhook_id}",                 {"json": {"active": False}}, "401 404 403 403 200 200"),
    ("DELETE", "/api/webhooks/{webhook_id}",                 {},                          "401 404 403 403 204 204"),
    ("POST",   "/api/webhooks/{webhook_id}/test",            {},                          "401 404 403 403 202 202"),
    ("GET",    "/api/webhooks/{webhook_id}/deliveries",      {},                          "401 404 403 403 200 200"),

    ("GET",    "/api/models",                                HERE,                        "401 404 200 200 200 200"),
    ("GET",    "/api/models/live",                           HERE,                        "401 404 200 200 200 200"),
    ("GET",    "/api/models/history",                        HERE,                        "401 404 200 200 200 200"),
    ("GET",    "/api/models/{version}",                      {},                          "401 404 200 200 200 200"),
    ("POST",   "/api/models/{version}/promote",              {},                          "401 404 403 403 200 200"),
    ("POST",   "/api/models/rollback",                       {"json": {"project": 1}},    "401 404 403 403 200 200"),

    ("POST",   "/api/training/runs",                         {"json": {"project": 1}},    "401 404 403 403 202 202"),
    ("GET",    "/api/training/runs",                         HERE,                        "401 404 200 200 200 200"),
    ("GET",    "/api/training/runs/{run_id}",                {},                          "401 404 200 200 200 200"),
    ("GET",    "/api/training/runs/{run_id}/events",         {},                          "401 404 200 200 200 200"),
    ("POST",   "/api/training/runs/{run_id}/cancel",         OPEN_RUN,                    "401 404 403 403 200 200"),
    ("GET",    "/api/training/schedule",                     HERE,                        "401 404 200 200 200 200"),
    ("GET",    "/api/training/labels",                       HERE,                        "401 404 200 200 200 200"),
    ("GET",    "/api/training/proof",                        HERE,                        "401 404 200 200 200 200"),

    ("GET",    "/api/jobs",                                  HERE,                        "401 404 200 200 200 200"),
    ("GET",    "/api/jobs/{job_id}",                         {},                          "401 404 200 200 200 200"),
    ("GET",    "/api/jobs/{job_id}/events",                  {},                          "401 404 200 200 200 200"),
    ("POST",   "/api/jobs/{job_id}/cancel",                  WAITING,                     "401 404 403 200 200 200"),
    ("POST",   "/api/jobs/{job_id}/retry",                   FAILED,                      "401 404 403 200 200 200"),

    ("GET",    "/signin",                                    {},                          "200 303 303 303 303 303"),
    ("POST",   "/signin",                                    SIGN_IN_FORM,                "303 303 303 303 303 303"),
    ("GET",    "/join",                                      OPEN_LINK,                   "200 200 200 200 200 200"),
    ("POST",   "/join",                                      ACCEPT,                      "303 303 303 303 303 303"),
    ("GET",    "/health",                                    {},                          "200 200 200 200 200 200"),
    ("GET",    "/ready",                                     {},                          "503 503 503 503 503 503"),
    ("GET",    "/metrics",                                   {},                          "200 200 200 200 200 200"),
    ("GET",    "/openapi.json",                              {},                          "200 200 200 200 200 200"),
    ("GET",    "/docs",                                      {},                          "200 200 200 200 200 200"),
    ("GET",    "/docs/oauth2-redirect",                      {},                          "200 200 200 200 200 200"),
    ("GET",    "/redoc",                                     {},                          "200 200 200 200 200 200"),
)
# fmt: on


@pytest.fixture(scope="module", params=KINDS)
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    home = tmp_path_factory.mktemp("access")
    with database_of(request, home) as url:
        yield from _service(home, url)


def _service(home: Path, url: str) -> Iterator[Service]:
    films = home / "films to add"
    films.mkdir()
    (films / "new.mp4").write_bytes(b"new")
    with running(home, url, media={"roots": [films]}, models={"offline": True}) as service:
        migrate_jobs(service.resources.settings.jobs_url)
        yield service


@pytest.mark.parametrize(("method", "path", "request_", "wanted"), TABLE, ids=[f"{row[0]} {row[1]}" for row in TABLE])
def test_who_may(service: Service, method: str, path: str, request_: dict[str, Any], wanted: str) -> None:
    said: dict[str, str] = {}
    strangers = ""
    sent = {name: value for name, value in request_.items() if name != "ids"}
    as_it_was = False
    for asker in ASKERS:
        if not as_it_was:
            make_world(service.resources)
        client = service.client(secret_of(asker), address=f"192.0.2.{ASKERS.index(asker)}")
        answer = client.request(method, path.format_map(IDS | request_.get("ids", {})), **sent)
        as_it_was = method == "GET" or answer.status_code >= 400  # who is refused changes nothing for the next
        strangers = answer.text if asker == "outsider" else strangers
        hidden = answer.status_code == 404 and answer.text == strangers
        said[asker] = str(answer.status_code) if answer.status_code != 404 or hidden else "may"
    assert said == dict(zip(ASKERS, wanted.split(), strict=True))


def test_every_route_is_in_the_table(service: Service) -> None:
    assert set(routes(service.app.routes)) == {(method, path) for method, path, _, _ in TABLE}


def test_strangers_see_only_what_is_listed(service: Service) -> None:
    """Pages and what they load too, which show nothing of a project but by the API: the gate stands before them all."""
    from labeling.web.pages import ADDRESSES

    make_world(service.resources)
    stranger, viewer = service.client(), service.client(secret_of("viewer"))
    pages = {("GET", address) for address in (*ADDRESSES, *LOADED)}
    for method, path in sorted({*routes(service.app.routes), *pages}):
        if path not in OPEN and (method, path) != ("POST", "/api/session"):
            assert stranger.request(method, path).status_code == 401, (method, path)
    for method, path in sorted(pages):
        assert viewer.request(method, path).status_code == 404  # pages are not mounted here


def routes(found: Iterable[BaseRoute]) -> Iterator[tuple[str, str]]:
    """Method and path of every route; HEAD and OPTIONS follow GET, and what is mounted is one route for all methods."""
    for context in iter_route_contexts(found):
        for method in set(context.methods or {"ANY"}) - {"HEAD", "OPTIONS"}:
            yield method, str(context.path)
