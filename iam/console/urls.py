"""Addresses of the console: its own pages, then the declared ones."""

from django.urls import URLPattern, path

from iam.console import front, live, site
from iam.console.views import page_view, signed_in


def console_urls() -> list[URLPattern]:
    """Everything below /ui/console. Called once all rooms have declared their pages."""
    own = [
        path("", front.home),
        path("login", front.sign_in),
        path("callback", front.signed_in_again),
        path("logout", front.sign_out),
        path("search", front.search),
        path("activity", live.page),
    ]
    parts = [path(route, signed_in(answer)) for route, answer in site.urls()]
    return own + parts + [path(page.route, page_view(page)) for page in site.pages()]
