// The address of the page, which carries what was asked, and a call of the service for a terminal.

import { $ } from "./dom.js";

// asked: by name, undefined where it cannot be read.
export function keepAddress(asked) {
  const address = new URL(location);
  for (const [name, value] of Object.entries(asked))
    if (value === undefined) address.searchParams.delete(name);
    else address.searchParams.set(name, value);
  if (address.href !== location.href) history.replaceState(null, "", address);
}

export function readAddress() {
  const { searchParams } = new URL(location);
  $("hours").value = searchParams.get("hours") ?? "";
  $("goal").value = searchParams.get("score") ?? "";
}

// The key stays here.
export function curl(hours) {
  const address = new URL("predict", location).href.replaceAll("'", "%27");
  const key = sessionStorage.apiKey ? ` -H "Authorization: Bearer $STUDY_SCORE_API_KEY"` : "";
  const body = JSON.stringify({ hours });
  return `curl '${address}' -H 'Content-Type: application/json'${key} -d '${body}'`;
}
