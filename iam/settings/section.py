"""What every branch of the configuration tree is."""

from ipaddress import ip_network
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


class Section(BaseModel):
    """A branch of the tree. Keys are matched without regard to case by `sources`."""

    model_config = ConfigDict(extra="forbid", validate_default=True)


def _are_networks(text: str) -> str:
    for one in text.split(","):
        if one.strip():
            ip_network(one.strip(), strict=False)
    return text


NetworkList = Annotated[str, AfterValidator(_are_networks)]
