// @zitadel/client's server transport: gRPC over HTTP/2, cleartext or TLS. Prints what it learnt as one JSON object.
import { createServerTransport, newSystemToken } from "@zitadel/client/node";
import { createManagementServiceClient } from "@zitadel/client/v1";
import {
  createOrganizationServiceClient,
  createSessionServiceClient,
  createSettingsServiceClient,
  createUserServiceClient,
} from "@zitadel/client/v2";
import { ConnectError, createClient } from "@connectrpc/connect";
import { ErrorDetailSchema } from "@zitadel/proto/zitadel/message_pb.js";

const { url, token, name } = JSON.parse(process.argv[2]);
const transport = createServerTransport(token, { baseUrl: url });
const users = createUserServiceClient(transport);
const sessions = createSessionServiceClient(transport);
const organizations = createOrganizationServiceClient(transport);
const management = createManagementServiceClient(transport);
const settings = createSettingsServiceClient(transport);
const told = {};

async function refusal(call) {
  try {
    await call();
    return "none";
  } catch (error) {
    const refused = ConnectError.from(error);
    return { code: refused.code, ids: refused.findDetails(ErrorDetailSchema).map((one) => one.id) };
  }
}

const mine = await management.getMyOrg({});
told.org = mine.org.name;
const elsewhere = await organizations.addOrganization({ name });
const other = await management.getMyOrg({}, { headers: { "x-zitadel-orgid": elsewhere.organizationId } });
told.other = other.org.name;
told.listed = (await organizations.listOrganizations({ query: { asc: true } })).result.length;
const person = await users.addHumanUser({
  username: name,
  profile: { givenName: "Ada", familyName: "L" },
  email: { email: `${name}@example.com`, verification: { case: "isVerified", value: true } },
  passwordType: { case: "password", value: { password: "Correct-Horse-9" } },
});
told.user = (await users.getUserByID({ userId: person.userId })).user.username;
const session = await sessions.createSession({
  checks: { user: { search: { case: "loginName", value: name } }, password: { password: "Correct-Horse-9" } },
});
const seen = await sessions.getSession({ sessionId: session.sessionId, sessionToken: session.sessionToken });
told.session = seen.session.factors.user.id === person.userId && Boolean(seen.session.factors.password.verifiedAt);
told.wrong = await refusal(() =>
  sessions.createSession({
    checks: { user: { search: { case: "loginName", value: name } }, password: { password: "wrong" } },
  }),
);
await users.deleteUser({ userId: person.userId });
told.gone = await refusal(() => users.getUserByID({ userId: person.userId }));
told.late = await refusal(() => users.listUsers({}, { timeoutMs: 1 }));
told.nobody = await refusal(() => users.listUsers({}, { headers: { authorization: "Bearer wrong" } }));
told.settings = await refusal(() => settings.getBrandingSettings({}));
console.log(JSON.stringify(told));
process.exit(0);
