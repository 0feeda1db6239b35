"""Which method of v2 answers a method of v2beta, and the function that asks it."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache, wraps
from typing import Any

from google.protobuf.message import Message

from iam.api import descriptors
from iam.api.beta.spellings import spelling_of
from iam.api.beta.translate import to_beta, to_v2
from iam.api.limits import check

Function = Callable[[Any, Any], Message]

SERVICES = {"zitadel.app.v2beta.AppService": "zitadel.application.v2.ApplicationService"}
"""Services that were renamed; every other keeps its name with `v2` for `v2beta`."""

METHODS = {
    "zitadel.app.v2beta.AppService/RegenerateClientSecret": "GenerateClientSecret",
    "zitadel.org.v2beta.OrganizationService/CreateOrganization": "AddOrganization",
}
"""Methods that were renamed."""


@cache
def sister_of(full_name: str) -> str:
    """The v2 method of `package.Service/Method` of v2beta; empty for a method that is no sister of any."""
    service, _, name = full_name.partition("/")
    if ".v2beta." not in service:
        return ""
    sister = SERVICES.get(service, service.replace(".v2beta.", ".v2."))
    name = METHODS.get(full_name, name)
    there = sister in descriptors.services() and name in descriptors.service(sister).methods_by_name
    return f"{sister}/{name}" if there else ""


@cache
def pairs() -> Mapping[str, str]:
    """Every v2beta method with its sister."""
    return dict(_pairs())


def _pairs() -> Iterator[tuple[str, str]]:
    for service in descriptors.services():
        if ".v2beta." in service:
            for one in descriptors.service(service).methods:
                if sister := sister_of(f"{service}/{one.name}"):
                    yield f"{service}/{one.name}", sister


def adapted(full_name: str, sister: Function) -> Function:
    """The sister, asked and answering in the spelling of v2beta.

    The sister's own limits hold, too: it may rely on them. Raises Unimplemented for a field that v2 has no place for.
    """
    asked, answered = descriptors.method(sister_of(full_name)), descriptors.method(full_name)
    spared = spelling_of(answered.input_type.full_name, asked.input_type.full_name).spared

    @wraps(sister)
    def answer(ctx: Any, request: Message) -> Message:
        translated = to_v2(request, descriptors.new(asked.input_type)())
        check(translated, spared)
        return to_beta(sister(ctx, translated), descriptors.new(answered.output_type)())

    return answer
