"""The pages that codes lead to, and the browser that a sign-in belongs to."""

import re

import pytest
from django.test import Client

from iam.outbox.models import Message
from iam.outbox.post import opened
from tests.conftest import HOST
from tests.oidc.support import make_flow
from users import attempts
from users.commands.sessions import must_know_password
from users.resets import send_codes_asked_for

NEW = "Another-Horse-7"


def test_a_forgotten_password_is_set_anew(house, web):
    gigi = house.person("gigi")
    told = web.post("/ui/v2/login/password/reset", {"login_name": "gigi"})
    assert told.status_code == 200
    assert send_codes_asked_for()
    link = re.search(r"http://localhost(/\S+)", opened(house.system, Message.objects.get()).body)[1]
    page = web.get(link)
    code = re.search(r'name="code" value="(\w+)"', page.content.decode())[1]
    weak = {"userId": gigi, "code": code, "password": "short", "again": "short"}
    assert web.post("/ui/v2/login/password/set", weak).status_code == 422
    assert web.post("/ui/v2/login/password/set", {**weak, "password": NEW, "again": NEW}).status_code == 200
    must_know_password(house.system, user_id=gigi, password=NEW)


def test_p02_asking_for_a_code_tells_nothing_about_accounts(house, web):
    house.person("gigi")
    known = web.post("/ui/v2/login/password/reset", {"login_name": "gigi"})
    unknown = web.post("/ui/v2/login/password/reset", {"login_name": "nobody-at-all"})
    assert (known.status_code, unknown.status_code) == (200, 200)
    assert re.sub(r'value="[^"]*"', "", known.content.decode()) == re.sub(
        r'value="[^"]*"', "", unknown.content.decode()
    )
    assert send_codes_asked_for()
    assert Message.objects.count() == 1


@pytest.mark.parametrize("name", ["gigi", "nobody-at-all"])
def test_p03_asking_again_and_again_has_to_wait(house, web, name):
    house.person("gigi")
    answers = [
        web.post("/ui/v2/login/password/reset", {"login_name": name}).status_code
        for _ in range(attempts.limits().Tries + 2)
    ]
    assert answers[0] == 200 and answers[-1] == 429


def test_l01_a_sign_in_goes_on_in_the_browser_that_began_it_only(house, web):
    flow = make_flow(house, web)
    page = flow.authorize()["Location"]
    assert page.startswith("/ui/v2/login/")
    assert web.get(page).status_code in (200, 302, 303)
    stranger = Client(HTTP_HOST=HOST)
    assert stranger.get(page).status_code == 404
    id = re.search(r"authRequest=(\w+)", page)[1]
    posted = stranger.post("/ui/v2/login/loginname", {"authRequest": id, "login_name": "gigi"})
    assert posted.status_code == 404
