"""The OpenAPI document against the application: whatever is sent, no answer is a 5xx or one that it does not list."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks
from schemathesis.specs.openapi.schemas import OpenApiSchema

from backend.jobs.liveness import enrol
from backend.jobs.queue import migrate_jobs
from tests.databases import KINDS, database_of
from tests.service import Service, running
from tests.test_access import IDS, TABLE
from tests.vectors import Server
from tests.world import PROJECT, make_world, secret_of

EXAMPLES = 8
DESCRIBED = ("/health", "/ready", "/metrics")
LISTED = (
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
)


@pytest.fixture(scope="module", params=KINDS)
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, chroma: Server
) -> Iterator[Service]:
    home = tmp_path_factory.mktemp("openapi")
    films = home / "films to add"
    films.mkdir()
    (films / "new.mp4").write_bytes(b"new")
    sections: dict[str, Any] = {"vectors": chroma.section, "media": {"roots": [films]}, "models": {"offline": True}}
    with database_of(request, home) as url, running(home, url, **sections) as made:
        migrate_jobs(made.resources.settings.jobs_url)
        yield made


@pytest.fixture(scope="module")
def document(service: Service) -> OpenApiSchema:
    return schemathesis.openapi.from_asgi("/openapi.json", service.app)


ROUTES = [(method, path) for method, path, _, _ in TABLE if path.startswith("/api/") or path in DESCRIBED]


def test_the_document_describes_every_route(document: OpenApiSchema) -> None:
    described = {(found.ok().method.upper(), found.ok().path) for found in document.get_all_operations()}
    assert described == set(ROUTES)


def test_every_example_is_what_it_is_an_example_of(document: OpenApiSchema) -> None:
    whole: dict[str, Any] = dict(document.raw_schema)
    wrong = []

    def look(where: str, part: Any) -> None:
        if isinstance(part, list):
            part = dict(enumerate(part))
        if not isinstance(part, dict):
            return
        shown = part.get("examples")
        shown = shown if isinstance(shown, list) else []
        if "schema" in part and "example" in part:
            shown, schema = [part["example"]], part["schema"]
        else:
            schema = {name: value for name, value in part.items() if name not in ("examples", "example")}
        judge = Draft202012Validator(schema | {"components": whole["components"]})
        wrong.extend(f"{where}: {error.message}" for each in shown for error in judge.iter_errors(each))
        for name, value in part.items():
            look(f"{where}/{name}", value)

    look("", {name: whole[name] for name in ("paths", "components")})
    assert wrong == []


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=[f"{method} {path}" for method, path in ROUTES])
def test_every_answer_is_listed(service: Service, document: OpenApiSchema, method: str, path: str) -> None:
    """As it is made up, and again with ids of what is there."""
    make_world(service.resources)
    with service.session() as session:
        enrol(session, "a worker", ["cpu"])

    @settings(max_examples=EXAMPLES, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(case=document[path][method].as_strategy())
    def answers(case: Case) -> None:
        ask(case, service)
        for name in case.path_parameters or {}:
            case.path_parameters[name] = IDS[name]
        if "project" in (case.query or {}):
            case.query["project"] = PROJECT
        ask(case, service)

    answers()


def ask(case: Case, service: Service) -> None:
    answer = case.call(headers={"Authorization": f"Bearer {secret_of('superuser')}"})
    case.validate_response(answer, checks=LISTED)


def test_what_the_database_cannot_hold_is_said(service: Service) -> None:
    make_world(service.resources)
    client = service.client(secret_of("superuser"))
    answer = client.patch("/api/movies/1", json={"title": "A\0B"})
    assert answer.status_code in (200, 422), answer.text
    if answer.status_code == 422:
        assert answer.json()["detail"].startswith("A value cannot be stored: ")
    assert client.get(f"/api/movies/{2**63}").status_code == 422
    assert client.get("/api/movies", params={"text": "a\0"}).status_code in (200, 422)
