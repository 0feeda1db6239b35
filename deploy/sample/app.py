"""A web application of one file that signs people in with OpenID Connect: code flow with PKCE, standard library only.

python deploy/sample/app.py --issuer http://localhost:8080 --client-id 1234 [--port 9000]
"""

import argparse
import base64
import hashlib
import html
import json
import secrets
import urllib.request
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

SCOPES = "openid profile email urn:zitadel:iam:org:projects:roles"
ROLES = "urn:zitadel:iam:org:project:roles"
HEAD = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Sample</title><link rel="icon" href="data:,"><style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: light-dark(#f5f6f8, #12141a); }
main { width: min(320px, 80vw); padding: 28px; border-radius: 12px; background: light-dark(#fff, #1b1e26); }
h1 { margin: 0 0 8px; font-size: 1.5rem; } p { margin: 0 0 4px; overflow-wrap: anywhere; }
a { display: block; margin-top: 20px; padding: 10px; border-radius: 8px; text-align: center; text-decoration: none;
    background: light-dark(#3b5bdb, #7d95f5); color: light-dark(#fff, #10131c); font-weight: 600; }
</style>"""
sessions: dict[str, dict] = {}  # cookie → {"verifier", "state", "tokens", "person"}; enough for a sample


class Sample(BaseHTTPRequestHandler):
    """Three pages: home, callback, sign-out."""

    def do_GET(self):
        """Answer a page."""
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        cookie = SimpleCookie(self.headers.get("Cookie", "")).get("sample")
        session = sessions.get(cookie.value) if cookie else None
        match url.path:
            case "/login":
                self.login()
            case "/callback" if session and secrets.compare_digest(query.get("state", ""), session["state"]):
                self.callback(session, query)
            case "/logout" if session and "tokens" in session:
                hint = {"id_token_hint": session.pop("tokens")["id_token"], "post_logout_redirect_uri": self.home()}
                session.pop("person")
                self.redirect(f"{provider['end_session_endpoint']}?{urlencode(hint)}")
            case "/":
                self.show(session.get("person") if session else None)
            case _:
                self.send_error(404)

    def home(self):
        """This application's own address."""
        return f"http://localhost:{options.port}/"

    def login(self):
        """Send the browser to the provider."""
        session = {"verifier": secrets.token_urlsafe(48), "state": secrets.token_urlsafe(16)}
        key = secrets.token_urlsafe(32)
        sessions[key] = session
        challenge = (
            base64.urlsafe_b64encode(hashlib.sha256(session["verifier"].encode()).digest()).rstrip(b"=").decode()
        )
        asked = {
            "client_id": options.client_id,
            "redirect_uri": self.home() + "callback",
            "response_type": "code",
            "scope": SCOPES,
            "state": session["state"],
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        self.redirect(f"{provider['authorization_endpoint']}?{urlencode(asked)}", cookie=key)

    def callback(self, session, query):
        """Exchange the code for tokens, and ask who it is."""
        if "code" not in query:
            self.send_error(403, query.get("error", "refused"), query.get("error_description"))
            return
        form = {
            "grant_type": "authorization_code",
            "code": query["code"],
            "redirect_uri": self.home() + "callback",
            "client_id": options.client_id,
            "code_verifier": session["verifier"],
        }
        session["tokens"] = fetch(provider["token_endpoint"], urlencode(form).encode())
        session["person"] = fetch(provider["userinfo_endpoint"], token=session["tokens"]["access_token"])
        self.redirect("/")

    def show(self, person):
        """Name, address and roles; or a link to sign in."""
        if person:
            roles = ", ".join(sorted(person.get(ROLES, {}))) or "none"
            name, *lines = [person.get("name", person["sub"]), person.get("email", ""), f"Roles: {roles}"]
            body = f"<h1>{html.escape(name)}</h1>" + "".join(f"<p>{html.escape(line)}</p>" for line in lines)
            body += '<a href="/logout">Sign out</a>'
        else:
            body = '<h1>Sample</h1><p>You are not signed in.</p><a href="/login">Sign in</a>'
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(f"{HEAD}<main>{body}</main>".encode())

    def redirect(self, to, cookie=""):
        """303 to another address."""
        self.send_response(303)
        self.send_header("Location", to)
        if cookie:
            self.send_header("Set-Cookie", f"sample={cookie}; HttpOnly; SameSite=Lax; Path=/")
        self.end_headers()


def fetch(url, form=None, token=""):
    """JSON from the provider."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with urllib.request.urlopen(urllib.request.Request(url, form, headers)) as answer:
        return json.load(answer)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--issuer", default="http://localhost:8080")
    parser.add_argument("--client-id", required=True)
    parser.add_argument("--port", type=int, default=9000)
    options = parser.parse_args()
    provider = fetch(f"{options.issuer}/.well-known/openid-configuration")
    ThreadingHTTPServer(("127.0.0.1", options.port), Sample).serve_forever()
