"""The console redeems its code by the same rules as every client."""

from datetime import timedelta

from iam.access.caller import RequestMeta, context_of_nobody
from iam.console.signin import Redemption, Tokens, redeems_codes
from iam.kernel.errors import Unauthenticated
from oidc.errors import OAuthError
from oidc.grants import code
from oidc.jose import read
from oidc.registry import find_client
from oidc.tokens import issue


@redeems_codes
def redeem(instance: str, asked: Redemption) -> Tokens:
    """Exchange the console's code; raises Unauthenticated."""
    ctx = context_of_nobody(RequestMeta(host=asked.host), instance)
    client = find_client(instance, asked.client_id)
    form = {"code": asked.code, "redirect_uri": asked.redirect_uri, "code_verifier": asked.verifier}
    try:
        if client is None:
            raise OAuthError("invalid_client")
        made = issue(ctx, code.order(ctx, client, form))
    except OAuthError as refused:
        raise Unauthenticated("console.sign_in_refused", reason=refused.error) from refused
    claims = read(made["id_token"]).claims
    if claims.get("nonce") != asked.nonce:
        raise Unauthenticated("console.state_mismatch")
    ends = ctx.now() + timedelta(seconds=made["expires_in"])
    return Tokens(made["access_token"], made["id_token"], str(claims["sub"]), ends)
