// Loads the page again if a part of it did not arrive, for instance because the network changed:
// without one of its modules none of them runs. This script is not a module, so it runs anyway.

let arrived = true;

addEventListener(
  "error",
  ({ target }) => {
    if (target.matches?.("script, link[rel=stylesheet]")) arrived = false;
  },
  true,
);
addEventListener("load", () => {
  if (arrived) return sessionStorage.removeItem("reloadWaits");
  const waits = Number(sessionStorage.reloadWaits ?? 1000); // milliseconds
  sessionStorage.reloadWaits = 2 * waits;
  setTimeout(() => location.reload(), waits);
});
