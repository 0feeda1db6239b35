"""What every branch of the configuration tree is."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A branch of the tree. Keys are matched without regard to case by `sources`."""

    model_config = ConfigDict(extra="forbid", validate_default=True)
