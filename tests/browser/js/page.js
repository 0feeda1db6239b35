// @zitadel/client's web transport in a page: gRPC-Web across origins. Called by the test with the page's own settings.
import { createClientTransport } from "@zitadel/client/web";
import { createOrganizationServiceClient, createUserServiceClient } from "@zitadel/client/v2";
import { createManagementServiceClient } from "@zitadel/client/v1";
import { ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { UserService } from "@zitadel/proto/zitadel/user/v2/user_service_pb.js";
import { ErrorDetailSchema } from "@zitadel/proto/zitadel/message_pb.js";

async function refusal(call) {
  try {
    await call();
    return "none";
  } catch (error) {
    const refused = ConnectError.from(error);
    return { code: refused.code, ids: refused.findDetails(ErrorDetailSchema).map((one) => one.id) };
  }
}

window.ask = async ({ url, token }) => {
  const transport = createClientTransport(token, { baseUrl: url });
  const users = createUserServiceClient(transport);
  const management = createManagementServiceClient(transport);
  const listed = await createOrganizationServiceClient(transport).listOrganizations({});
  const headers = { "x-zitadel-orgid": listed.result[0].id };
  const connect = createClient(UserService, createConnectTransport({ baseUrl: url, useBinaryFormat: true }));
  const bearer = { authorization: `Bearer ${token}` };
  const rest = await fetch(`${url}/v2/users`, {
    method: "POST",
    headers: { ...bearer, "content-type": "application/json" },
    body: "{}",
  });
  return {
    org: (await management.getMyOrg({}, { headers, timeoutMs: 10000 })).org.name,
    users: (await users.listUsers({}, { timeoutMs: 10000 })).result.length,
    connect: (await connect.listUsers({}, { headers: bearer, timeoutMs: 10000 })).result.length,
    rest: (await rest.json()).result.length,
    missing: await refusal(() => users.getUserByID({ userId: "1" })),
    nobody: await refusal(() => users.listUsers({}, { headers: { authorization: "Bearer wrong" } })),
  };
};

window.tried = async (url) => {
  try {
    return (await fetch(`${url}/v2/users`, { method: "POST", headers: { authorization: "Bearer x" }, body: "{}" })).status;
  } catch (error) {
    return error.name;
  }
};
