// Loads the page again if a part of it did not arrive, for instance because the network changed:
// without one of its modules none of them runs. This script is not a module, so it runs anyway.

const waits = Number(sessionStorage.reloadWaits ?? 1000); // milliseconds
let arrived = true;

addEventListener(
  "error",
  ({ target }) => {
    if (!arrived || !target.matches?.("script, link[rel=stylesheet]")) return;
    arrived = false;
    sessionStorage.reloadWaits = 2 * waits;
    setTimeout(() => location.reload(), waits);
  },
  true,
);
addEventListener("load", () => arrived && delete sessionStorage.reloadWaits);
