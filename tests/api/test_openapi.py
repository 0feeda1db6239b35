"""The OpenAPI document, as programs read it."""

from openapi_spec_validator import OpenAPIV31SpecValidator

from iam.api.rest import routes


def test_the_document_is_valid_and_names_every_route(db, client):
    answer = client.get("/openapi.json")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    document = answer.json()
    OpenAPIV31SpecValidator(document).validate()
    assert document["openapi"].startswith("3.1")
    named = {(path, verb) for path, verbs in document["paths"].items() for verb in verbs}
    assert {(route.path.replace("=**", ""), route.verb) for route in routes()} == named


def test_the_browsable_page_needs_no_script(db, client):
    page = client.get("/openapi").content.decode()
    assert "zitadel.user.v2.UserService" in page and "<script" not in page
