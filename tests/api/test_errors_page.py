"""Every refusal has a cause and a remedy, and the page of errors has every id once."""

import re
from collections import Counter

import pytest
from django.core.management import CommandError, call_command

from iam.access.catalog import catalog
from iam.api import errors_page


def test_every_refusal_has_a_cause_and_a_remedy():
    assert errors_page.missing() == []
    for code in catalog():
        cause, remedy = errors_page.remedies()[code]
        assert len(cause) > 10 and len(remedy) > 5 and cause.endswith(".") and remedy.endswith("."), code


def test_the_page_names_every_id_once_and_is_fresh():
    titles = Counter(re.findall(r"^### `(.*)`$", errors_page.page(), re.MULTILINE))
    ids = {id or code for code, (_, id) in catalog().items()}
    assert set(titles) == ids and set(titles.values()) == {1}
    call_command("errors", check=True)


def test_a_refusal_without_a_remedy_and_an_old_page_are_noticed(monkeypatch, tmp_path):
    monkeypatch.setitem(catalog(), "thing.odd", ("Odd", "THING-0dd"))
    with pytest.raises(CommandError, match=r"thing\.odd"):
        call_command("errors", check=True)
    monkeypatch.setitem(errors_page.remedies(), "thing.odd", ("It is odd.", "Make it even."))
    with pytest.raises(CommandError, match="old"):
        call_command("errors", check=True)


def test_every_code_that_the_program_raises_is_in_a_catalog():
    from pathlib import Path

    root = Path(errors_page.__file__).parents[2]
    kinds = "InvalidInput|NotFound|AlreadyExists|PermissionDenied|FailedPrecondition|Contended|StateChanged|KeyReused|TooLarge"
    raised = re.compile(
        rf'(?:{kinds}|ResourceExhausted|Unimplemented|Unavailable|Unauthenticated)\(\s*"([a-z_]+\.[a-z_]+)"'
    )
    found = {
        code
        for room in ("iam", "orgs", "users", "projects", "oidc", "eventstore")
        for file in (root / room).rglob("*.py")
        for code in raised.findall(file.read_text())
    }
    assert found - catalog().keys() == set()
