// openid-client against the server: one JSON object per line in, one out. The test signs in between.
import { createPrivateKey } from "node:crypto";
import { createInterface } from "node:readline/promises";
import * as client from "openid-client";

const { issuer, id, secret, method, key, redirect } = JSON.parse(process.argv[2]);
const ways = {
  none: () => client.None(),
  basic: () => client.ClientSecretBasic(secret),
  post: () => client.ClientSecretPost(secret),
  private_key_jwt: async () => {
    const pkcs8 = createPrivateKey(key.key).export({ type: "pkcs8", format: "der" });
    const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
    const signing = await crypto.subtle.importKey("pkcs8", pkcs8, algorithm, false, ["sign"]);
    return client.PrivateKeyJwt({ key: signing, kid: key.keyId });
  },
};
const options = { execute: [client.allowInsecureRequests] };
const config = await client.discovery(new URL(issuer), id, undefined, await ways[method](), options);
const verifier = client.randomPKCECodeVerifier();
const state = client.randomState();
const nonce = client.randomNonce();
let tokens, waiting, polled;

const steps = {
  async authorize() {
    return client.buildAuthorizationUrl(config, {
      redirect_uri: redirect,
      scope: "openid profile email offline_access urn:zitadel:iam:org:projects:roles",
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      state,
      nonce,
    }).href;
  },
  async grant({ url }) {
    const expected = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
    tokens = await client.authorizationCodeGrant(config, new URL(url), expected);
    return tokens.claims();
  },
  async device() {
    waiting = await client.initiateDeviceAuthorization(config, { scope: "openid profile email offline_access" });
    polled = client.pollDeviceAuthorizationGrant(config, waiting).then(
      (answer) => ({ answer }),
      (refusal) => ({ refusal }),
    );
    return waiting;
  },
  async polled() {
    const { answer, refusal } = await polled;
    if (refusal) return { refused: refusal.error, status: refusal.status };
    tokens = answer;
    return { claims: tokens.claims(), refreshes: Boolean(tokens.refresh_token) };
  },
  async userinfo() {
    return client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
  },
  async refresh() {
    const before = tokens;
    tokens = { ...before, ...(await client.refreshTokenGrant(config, before.refresh_token)) };
    tokens.claims = before.claims;
    return { rotated: tokens.refresh_token !== before.refresh_token };
  },
  async introspect() {
    return client.tokenIntrospection(config, tokens.access_token);
  },
  async revoke() {
    await client.tokenRevocation(config, tokens.access_token);
    return { revoked: true };
  },
  async leave({ home }) {
    return client.buildEndSessionUrl(config, { id_token_hint: tokens.id_token, post_logout_redirect_uri: home }).href;
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  try {
    console.log(JSON.stringify({ result: await steps[asked.step](asked) }));
  } catch (error) {
    console.log(JSON.stringify({ error: error.message, code: error.code, cause: String(error.cause) }));
  }
}
