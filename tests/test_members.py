"""Tokens, roles and invitations, as the API gives them."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlmodel import col, select

from backend.database import utc_now
from backend.library.models import Project
from backend.members.models import ApiToken, Invitation, Membership
from backend.security import hashed
from tests.service import Service


def secret_of(link: str) -> str:
    return link.partition("token=")[2]


def invite(service: Service, by: str, project: int, name: str = "Ada", role: str = "curator") -> str:
    wanted = {"project_id": project, "name": name, "role": role}
    made = service.client(by).post("/api/members/invitations", json=wanted)
    assert made.status_code == 201, made.text
    return secret_of(made.json()["link"])


# --- tokens


def test_a_token_is_shown_once_and_stored_hashed(service: Service) -> None:
    ada = service.client(service.token("Ada"))
    made = ada.post("/api/tokens", json={"name": "  nightly   export ", "days": 30})
    assert made.status_code == 201
    secret = made.json()["secret"]
    assert made.json()["name"] == "nightly export"
    assert service.client(secret).get("/api/session").json()["person"]["name"] == "Ada"
    listed = ada.get("/api/tokens")
    assert [token["name"] for token in listed.json()["items"]] == ["nightly export", "test"]
    assert secret not in listed.text
    with service.session() as session:
        rows = session.exec(select(ApiToken)).all()
        assert hashed(secret) in {row.hashed for row in rows}
        assert all(secret not in str(row.model_dump()) for row in rows)


def test_tokens_are_ones_own(service: Service) -> None:
    ada, ben = service.client(service.token("Ada")), service.client(service.token("Ben"))
    made = ben.post("/api/tokens", json={"name": "his"}).json()
    assert "his" not in ada.get("/api/tokens").text
    assert ada.delete(f"/api/tokens/{made['id']}").status_code == 404
    assert ben.delete(f"/api/tokens/{made['id']}").status_code == 204
    assert service.client(made["secret"]).get("/api/session").status_code == 401


def test_an_expired_token_is_as_unknown_as_any_other(service: Service) -> None:
    secret = service.token("Ada")
    assert service.client(secret).get("/api/session").status_code == 200
    with service.session() as session:
        session.execute(update(ApiToken).values(expires_at=utc_now() - timedelta(seconds=1)))
        session.commit()
    answers = [service.client(token).get("/api/session") for token in (secret, "slc_nobody", "x" * 3000)]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert answers[0].json()["error"] == "NotSignedIn"
    assert answers[0].headers["www-authenticate"] == "Bearer"


def test_the_last_use_is_written_at_most_once_a_minute(service: Service) -> None:
    secret = service.token("Ada")

    def used() -> object:
        with service.session() as session:
            return session.exec(select(ApiToken.used_at)).one()

    assert used() is None
    service.client(secret).get("/api/session")
    first = used()
    assert first is not None
    service.client(secret).get("/api/session")
    assert used() == first
    with service.session() as session:
        session.execute(update(ApiToken).values(used_at=utc_now() - timedelta(seconds=61)))
        session.commit()
    service.client(secret).get("/api/session")
    assert used() > first  # type: ignore[operator]


# --- roles


def test_an_admin_sets_roles_and_revokes_at_once(service: Service) -> None:
    project = service.project()
    admin, curator = service.member(project, "admin", "Ada"), service.member(project, "curator", "Ben")
    members = service.client(admin).get("/api/members", params={"project": project}).json()
    assert [(member["name"], member["role"]) for member in members["items"]] == [
        ("Ada", "admin"),
        ("Ben", "curator"),
        ("owner", "admin"),
    ]
    ben = members["items"][1]["id"]
    changed = service.client(admin).patch(f"/api/members/{ben}", json={"role": "viewer"})
    assert changed.json()["role"] == "viewer"
    roles = service.client(curator).get("/api/session").json()["roles"]
    assert roles == [{"project_id": project, "project": "Trailers", "role": "viewer"}]
    assert service.client(admin).delete(f"/api/members/{ben}").status_code == 204
    assert service.client(curator).get("/api/session").json()["roles"] == []
    assert service.client(curator).get("/api/members", params={"project": project}).status_code == 404


def test_a_superuser_is_no_admin_of_a_project_that_is_not_there(service: Service) -> None:
    boss = service.client(service.token())
    assert boss.get("/api/members", params={"project": 5}).status_code == 404
    wanted = {"project_id": 5, "name": "Ada", "role": "viewer"}
    assert boss.post("/api/members/invitations", json=wanted).status_code == 404


def test_the_last_admin_stays(service: Service) -> None:
    project = service.project()
    boss = service.client(service.token())
    (member,) = boss.get("/api/members", params={"project": project}).json()["items"]
    for refused in (
        boss.delete(f"/api/members/{member['id']}"),
        boss.patch(f"/api/members/{member['id']}", json={"role": "viewer"}),
    ):
        assert (refused.status_code, refused.json()["error"]) == (409, "Conflict")
    service.member(project, "admin", "Ada")
    assert boss.delete(f"/api/members/{member['id']}").status_code == 204


def test_two_admins_who_remove_each_other_leave_one(service: Service) -> None:
    project = service.project()
    boss = service.token()
    service.member(project, "admin", "Ada")
    items = service.client(boss).get("/api/members", params={"project": project}).json()["items"]
    ids = {member["name"]: member["id"] for member in items}
    with service.session() as first, ThreadPoolExecutor(1) as pool:
        first.exec(select(Project).where(col(Project.id) == project).with_for_update()).one()
        first.delete(first.get_one(Membership, ids["owner"]))
        first.flush()
        second = pool.submit(service.client(boss).delete, f"/api/members/{ids['Ada']}")
        time.sleep(0.3)  # time enough to remove the other admin, if it did not wait for the first removal
        first.commit()
    assert second.result().status_code == 409
    with service.session() as session:
        assert session.exec(select(Membership.role)).all() == ["admin"]


# --- invitations


def test_an_invitation_makes_a_person_and_signs_their_browser_in(service: Service) -> None:
    project = service.project()
    secret = invite(service, service.member(project, "admin"), project)
    browser = service.client()
    for _ in range(2):  # a preview of the link does not use it up
        looked = browser.get("/join", params={"token": secret})
        assert looked.status_code == 200
        assert "Ada" in looked.text
        assert "Trailers" in looked.text
    joined = browser.post("/join", data={"token": secret})
    assert (joined.status_code, joined.headers["location"]) == (303, "/")
    cookie = joined.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert "secure" not in cookie.lower()
    me = browser.get("/api/session").json()
    assert (me["person"]["name"], me["person"]["superuser"]) == ("Ada", False)
    assert me["roles"] == [{"project_id": project, "project": "Trailers", "role": "curator"}]


def test_an_invitation_works_once_and_not_for_ever(service: Service) -> None:
    project = service.project()
    boss = service.token()
    used, old, withdrawn = (invite(service, boss, project, name) for name in ("Ada", "Ben", "Cyd"))
    assert service.client().post("/join", data={"token": used}).status_code == 303
    with service.session() as session:
        late = update(Invitation).where(col(Invitation.name) == "Ben").values(expires_at=utc_now())
        session.execute(late)
        session.commit()
    listed = service.client(boss).get("/api/members/invitations", params={"project": project}).json()["items"]
    assert [invitation["name"] for invitation in listed] == ["Cyd"]
    assert service.client(boss).delete(f"/api/members/invitations/{listed[0]['id']}").status_code == 204
    for secret in (used, old, withdrawn, "slc_unknown"):
        refused = service.client(address=f"192.0.2.{len(secret)}").post("/join", data={"token": secret})
        assert refused.status_code == 404
        assert "set-cookie" not in refused.headers


def test_whoever_is_removed_comes_not_back_by_an_older_link(service: Service) -> None:
    project, other = service.project(), service.project("Another")
    boss, ada = service.token(), service.client(service.member(project, "curator", "Ada"))
    unused = invite(service, boss, project)
    elsewhere, bens = invite(service, boss, other), invite(service, boss, project, "Ben")
    members = service.client(boss).get("/api/members", params={"project": project}).json()["items"]
    (member,) = [each["id"] for each in members if each["name"] == "Ada"]
    assert service.client(boss).delete(f"/api/members/{member}").status_code == 204
    assert ada.post("/join", data={"token": unused}).status_code == 404
    assert [role["project_id"] for role in ada.get("/api/session").json()["roles"]] == []
    for still in (elsewhere, bens):
        assert service.client().post("/join", data={"token": still}).status_code == 303


def test_an_invitation_that_is_opened_twice_at_once_makes_one_session(service: Service) -> None:
    project = service.project()
    secret = invite(service, service.token(), project)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: service.client().post("/join", data={"token": secret}), range(4)))
    assert sorted(answer.status_code for answer in answers) == [303, 404, 404, 404]


def test_no_admin_becomes_somebody_else_by_inviting_them(service: Service) -> None:
    here, elsewhere = service.project("Here"), service.project("Elsewhere")
    admin, ada = service.member(here, "admin"), service.member(elsewhere, "viewer", "Ada")
    secret = invite(service, admin, here, "Ada")
    thief = service.client().post("/join", data={"token": secret})
    assert thief.status_code == 409
    assert "set-cookie" not in thief.headers
    browser = service.client()
    browser.post("/api/session", json={"token": ada})
    assert browser.post("/join", data={"token": secret}).status_code == 303
    roles = {role["project"]: role["role"] for role in browser.get("/api/session").json()["roles"]}
    assert roles == {"Here": "curator", "Elsewhere": "viewer"}


def test_a_superuser_gives_a_way_back_that_changes_no_role(service: Service) -> None:
    project = service.project()
    admin, _ada = service.member(project, "admin"), service.member(project, "viewer", "Ada")
    again = {"project_id": project, "name": "Ada", "role": "admin"}
    assert service.client(admin).post("/api/members/invitations", json=again).status_code == 409
    secret = invite(service, service.token(), project, "Ada", "admin")
    browser = service.client()
    assert browser.post("/join", data={"token": secret}).status_code == 303
    assert browser.get("/api/session").json()["roles"][0]["role"] == "viewer"


def test_an_invitation_ends_with_the_role_of_who_sent_it(service: Service) -> None:
    project = service.project()
    secret = invite(service, service.member(project, "admin"), project)
    boss = service.client(service.token())
    members = boss.get("/api/members", params={"project": project}).json()["items"]
    sender = next(member["id"] for member in members if member["name"] == "admin")
    boss.patch(f"/api/members/{sender}", json={"role": "curator"})
    assert service.client().post("/join", data={"token": secret}).status_code == 404


@pytest.mark.parametrize("name", ["", "   ", "a\x00b", "a\u202eb", "\ud800", "x" * 101])
def test_names_that_cannot_be_told_apart_or_stored_are_refused(service: Service, name: str) -> None:
    wanted = {"project_id": service.project(), "name": name, "role": "viewer"}
    body = json.dumps(wanted)  # with escapes, so that anything can be sent
    headers = {"Content-Type": "application/json"}
    refused = service.client(service.token()).post("/api/members/invitations", content=body, headers=headers)
    assert (refused.status_code, refused.json()["error"]) == (422, "InvalidRequest")
