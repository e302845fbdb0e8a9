// Loads the page again if a part of it did not arrive, for instance because the network changed:
// without one of its modules none of them runs. This script is not a module, so it runs anyway.

addEventListener(
  "error",
  ({ target }) => {
    if (target.matches?.("script, link[rel=stylesheet]")) setTimeout(() => location.reload(), 1000);
  },
  true,
);
