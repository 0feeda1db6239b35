"""A browser in which the administrator is signed in to the console."""

import re

import pytest


def sign_in(web, login, password):
    """Through the console's own OpenID Connect, as a browser does it."""
    page = arrived(web, web.get("/ui/console/login"))
    hidden = {"authRequest": re.search(r'name="authRequest" value="(\w+)"', page.content.decode())[1]}
    arrived(web, web.post("/ui/v2/login/loginname", {**hidden, "login_name": login}))
    return arrived(web, web.post("/ui/v2/login/password", {**hidden, "password": password}))


def arrived(web, answer):
    """Where the redirects lead to."""
    while 300 <= answer.status_code < 400:
        answer = web.get(answer["Location"])
    return answer


@pytest.fixture
def console(house, web):
    """The administrator's browser."""
    from users import commands as users

    users.set_password(house.system, user_id=house.admin, password="Correct-Horse-9")
    page = sign_in(web, "zitadel-admin", "Correct-Horse-9")
    assert "Welcome" in page.content.decode()
    return web
