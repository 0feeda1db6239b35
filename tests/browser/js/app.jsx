// A page of @zitadel/react: sign in, refresh, userinfo with roles, revoke, sign out.
import React, { useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { createZitadelAuth } from "@zitadel/react";

const settings = await (await fetch("/settings.json")).json();
const auth = createZitadelAuth(settings);

function App() {
  const [user, setUser] = useState(null);
  const [said, setSaid] = useState("");
  const tell = (work) => () => work().then(setSaid, (error) => setSaid(`failed: ${error.message}`));
  useEffect(() => {
    if (location.pathname === "/callback" && !user)
      auth.userManager.signinRedirectCallback().then(setUser, (error) => setSaid(`failed: ${error.message}`));
  }, []);
  const refresh = async () => {
    const renewed = await auth.userManager.signinSilent();
    const changed = renewed.refresh_token !== user.refresh_token;
    setUser(renewed);
    return changed ? "refreshed" : "the refresh token was not rotated";
  };
  const revoke = async () => {
    await auth.userManager.revokeTokens(["access_token"]);
    return "revoked";
  };
  return (
    <main>
      <button id="in" onClick={tell(() => auth.authorize())}>Sign in</button>
      <button id="refresh" onClick={tell(refresh)}>Refresh</button>
      <button id="revoke" onClick={tell(revoke)}>Revoke</button>
      <button id="out" onClick={tell(() => auth.signout())}>Sign out</button>
      <p id="said">{said}</p>
      {user && <pre id="user">{JSON.stringify(user.profile)}</pre>}
    </main>
  );
}

createRoot(document.getElementById("root")).render(<App />);
