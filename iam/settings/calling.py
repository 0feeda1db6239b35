"""The branches of the tree about what the server calls by itself: webhooks."""

from datetime import timedelta

from pydantic import Field

from iam.addresses import INNER
from iam.settings.section import Section
from iam.settings.watching import Words


class HTTPClientSection(Section):
    """Calls to addresses that tenants name: webhooks, proofs of domains."""

    DenyList: Words = Field(
        INNER,
        description="networks and host names that are never called, with commas; one that is taken from the default list"
        " may be called from then on",
    )
    Timeout: timedelta = Field(
        timedelta(seconds=30),
        ge=timedelta(milliseconds=100),
        le=timedelta(seconds=60),
        description="longest time of a webhook's call, whatever its target asks for",
    )


class ExecutionsSection(Section):
    """Webhooks: how facts of the log are told to targets."""

    Workers: int = Field(2, ge=1, le=32, description="webhooks called at once per process that follows the log")
    SigningKeyOverlap: timedelta = Field(
        timedelta(hours=24),
        ge=timedelta(0),
        le=timedelta(days=90),
        description="how long the signing key of before still signs beside a new one; 0 = not at all",
    )
