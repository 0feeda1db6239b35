// @zitadel/node with a service account: v2beta services and the v1 management service over gRPC. Prints one JSON object.
import { readFileSync } from "node:fs";
import * as api from "@zitadel/node/dist/api/index.js";
import { ServiceAccount } from "@zitadel/node/dist/credentials/index.js";

const { url, key, name } = JSON.parse(process.argv[2]);
const account = ServiceAccount.fromJsonString(readFileSync(key, "utf8"));
const token = await account.authenticate(url, { apiAccess: true });
const bearer = api.createAccessTokenInterceptor(token);
const renewing = api.createServiceAccountInterceptor(url, account, { apiAccess: true });
const told = {};

async function refusal(call) {
  try {
    await call();
    return "none";
  } catch (error) {
    return error.code;
  }
}

const management = api.createManagementClient(url, renewing);
told.org = (await management.getMyOrg({})).org.name;
const organizations = api.createOrganizationClient(url, bearer);
const org = await organizations.createOrganization({ name, admins: [] });
const found = await organizations.listOrganizations({ filter: [{ nameFilter: { name } }] });
told.organizations = found.organizations.map((one) => one.name);
const users = api.createUserClient(url, bearer);
const person = await users.addHumanUser({
  username: name,
  organization: { orgId: org.id },
  profile: { givenName: "Ada", familyName: "L" },
  email: { email: `${name}@example.com`, isVerified: true },
  password: { password: "Correct-Horse-9" },
});
told.user = (await users.getUserByID({ userId: person.userId })).user.human.profile.familyName;
told.listed = (await users.listUsers({ queries: [{ userNameQuery: { userName: name } }] })).result.length;
const sessions = api.createSessionClient(url, bearer);
const session = await sessions.createSession({
  checks: { user: { userId: person.userId }, password: { password: "Correct-Horse-9" } },
});
const seen = await sessions.getSession({ sessionId: session.sessionId, sessionToken: session.sessionToken });
told.session = seen.session.factors.user.id === person.userId;
await sessions.deleteSession({ sessionId: session.sessionId });
const settings = api.createSettingsClient(url, bearer);
told.settings = await refusal(() => settings.getLoginSettings({}));
told.missing = await refusal(() => users.getUserByID({ userId: "1" }));
await organizations.deleteOrganization({ id: org.id });
told.gone = await refusal(() => users.getUserByID({ userId: person.userId }));
console.log(JSON.stringify(told));
process.exit(0);
