// Small comforts on top of pages that work without them.
"use strict";

// Copy buttons beside secrets that are shown once.
for (const shown of document.querySelectorAll("[data-secret]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(shown.value);
    button.textContent = "Copied";
  });
  shown.after(button);
}

// The activity page: new lines arrive as ready-made table rows.
const live = document.querySelector("[data-live]");
if (live) {
  const keep = Number(live.dataset.liveKeep);
  const state = document.querySelector("[data-live-state]");
  let wait = 1000;
  const connect = () => {
    const socket = new WebSocket(location.origin.replace(/^http/, "ws") + live.dataset.live);
    socket.onopen = () => { state.textContent = "Live: new lines appear by themselves."; wait = 1000; };
    socket.onmessage = (message) => {
      live.insertAdjacentHTML("afterbegin", message.data);
      while (live.rows.length > keep) live.deleteRow(-1);
    };
    socket.onclose = (closed) => {
      if (closed.code === 4403) { state.textContent = "Sign in again to see new lines."; return; }
      state.textContent = "Connection lost; trying again.";
      setTimeout(connect, wait);
      wait = Math.min(wait * 2, 30000);
    };
  };
  connect();
}

// On narrow screens the navigation is one line: show where we are.
document.querySelector(".console-nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

// "/" goes to the search box.
document.addEventListener("keydown", (pressed) => {
  const typing = /^(input|textarea|select)$/i.test(document.activeElement.tagName);
  if (pressed.key === "/" && !typing && !pressed.ctrlKey && !pressed.metaKey) {
    pressed.preventDefault();
    document.getElementById("search")?.focus();
  }
});
