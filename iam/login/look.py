"""What the login pages show of an organization's settings: branding, links, languages, who may frame them."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from iam.instance.domain.values import Privacy, Security
from iam.login import language
from orgs.branding import asset_path, sheet_address


def look(visit: Any) -> dict[str, Any]:
    """What every page of the login needs."""
    settings = visit.settings
    label = settings.label
    brand = label.values
    return {
        "languages": language.offered(settings.restrictions.allowed_languages),
        "links": links_of(settings.privacy, visit.language),
        "sheet": sheet_address(label),
        "logo": asset_path(label.owner, brand.logo),
        "logo_dark": asset_path(label.owner, brand.logo_dark),
        "icon": asset_path(label.owner, brand.icon),
        "unnamed": brand.disable_watermark,
        "login": settings.login,
    }


def links_of(privacy: Privacy, code: str) -> list[Mapping[str, str]]:
    """Links at the foot of each page: (text, address)."""
    mail = f"mailto:{privacy.support_email}" if privacy.support_email else ""
    named = (
        (_("Terms of service"), privacy.tos_link),
        (_("Privacy policy"), privacy.privacy_link),
        (_("Help"), privacy.help_link),
        (_("Documentation"), privacy.docs_link),
        (_("Support"), mail),
        (privacy.custom_link_text or privacy.custom_link, privacy.custom_link),
    )
    return [{"text": text, "to": to.replace("{{.Lang}}", code)} for text, to in named if to]


def frame_ancestors(security: Security) -> tuple[str, ...]:
    """Origins that may show the login pages in a frame; none unless the instance says so."""
    return security.allowed_origins if security.enable_iframe_embedding else ()
