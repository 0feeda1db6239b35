"""What the pages of the login know of a browser."""

import re


def sessions_in(flow):
    """The sessions that a browser may sign out of, as the page shows them."""
    page = flow.web.get("/ui/v2/login/logout")
    return re.findall(r'name="session" value="(\d+)"', page.content.decode()) if page.status_code == 200 else []
