"""What browser tests do again and again."""

import json
import urllib.request
from pathlib import Path

JS = Path(__file__).parent / "js"


def sign_in(page, login, password):
    """Fill the hosted login's two steps."""
    page.fill("#login_name", login)
    page.click("button[type=submit]")
    page.fill("#password", password)
    page.click("button[type=submit]")


def post(house, path, body):
    """A call of the service user that owns the instance."""
    request = urllib.request.Request(house.url + path, json.dumps(body).encode())
    request.add_header("Authorization", f"Bearer {house.pat}")
    request.add_header("Content-Type", "application/json")
    return json.load(urllib.request.urlopen(request))
