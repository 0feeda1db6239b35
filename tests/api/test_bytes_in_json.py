"""Bytes in JSON are base64; the parser alone would leave out what is not."""

import base64

import pytest

from iam.api.limits import check_words
from iam.api.methods import method, registered
from iam.kernel.errors import InvalidInput

GOOD = ["", "Yg==", "Yg", "_-8=", "_-8", "+/8=", "QUJD\nREVG\n", "YQ==\r\n"]
BAD = ["%%%", "a b", "YQ=Y", "Yg===", "a_b+", "é", '"', "YQ==YQ=="]


def places(described, path=()):
    """Every field of bytes below a message, with the steps that lead there."""
    if len(path) > 3:
        return
    for field in described.fields:
        if field.type == field.TYPE_BYTES:
            yield (*path, field)
        elif field.type == field.TYPE_MESSAGE and not field.message_type.GetOptions().map_entry:
            yield from places(field.message_type, (*path, field))


def written(steps, text):
    """The JSON in which the last field holds a text."""
    field, *rest = steps
    inner = written(rest, text) if rest else text
    return {field.json_name: [inner] if field.is_repeated else inner}


CASES = [(name, steps) for name in registered() for steps in places(method(name).request.DESCRIPTOR)]


def test_there_are_such_fields():
    assert len(CASES) > 20


@pytest.mark.parametrize("text", BAD)
def test_what_is_not_base64_is_refused_wherever_bytes_may_stand(text):
    for name, steps in CASES:
        with pytest.raises(InvalidInput) as refused:
            check_words(written(steps, text), method(name).request.DESCRIPTOR)
        assert refused.value.code == "api.base64_invalid", name


@pytest.mark.parametrize("text", GOOD)
def test_either_alphabet_is_understood(text):
    for name, steps in CASES:
        check_words(written(steps, text), method(name).request.DESCRIPTOR)


@pytest.mark.parametrize("text", BAD)
def test_metadata_of_an_organization_stays_as_it_was(house, api, text):
    for key, value in (("a", "Yg=="), ("b", text)):
        answer = api.post(f"/v2/organizations/{house.org}/metadata", {"metadata": [{"key": key, "value": value}]})
        assert answer.status_code == (200 if value == "Yg==" else 400), (key, answer.content)
    listed = api.post(f"/v2/organizations/{house.org}/metadata/search", {}).json()["metadata"]
    assert [(one["key"], base64.b64decode(one["value"])) for one in listed] == [("a", b"b")]
