// Asks the service, and a person for the key where it wants one.

import { $, problem } from "./dom.js";
import { T } from "./language.js";

export class Refusal extends Error {} // its message is a sentence to show

// For `catch`: what to show of a Refusal; any other error goes on.
export function refused(error) {
  if (error instanceof Refusal) return { refusal: error.message };
  throw error;
}

// The answer, and in `by` the tag of the model that gave it; throws Refusal.
export async function ask(address, body) {
  const headers = { Accept: "application/json" };
  if (body) headers["Content-Type"] = "application/json";
  if (sessionStorage.apiKey) headers.Authorization = `Bearer ${sessionStorage.apiKey}`;
  let response;
  try {
    response = await fetch(address, {
      method: body ? "POST" : "GET",
      headers,
      body: body && JSON.stringify(body),
      cache: "no-store",
      signal: AbortSignal.timeout(10_000),
    });
  } catch {
    throw new Refusal(T.silent);
  }
  const found = await response.json().catch(() => ({}));
  if (response.status === 401) {
    await askForKey(headers.Authorization);
    return ask(address, body);
  }
  if (!response.ok) {
    throw new Refusal(sentenceOf(found) ?? `${response.status} ${response.statusText}`);
  }
  return { ...found, by: response.headers.get("X-Model") };
}

function sentenceOf({ error, detail }) {
  const { type, loc } = detail?.[0] ?? {};
  const known = T.problems[type];
  return known && loc.length > 1 ? T.place(loc[1] + 1, known) : (known ?? error);
}

let door = null; // the promise of a key, while one is being asked for

function askForKey(refused) {
  if (sessionStorage.apiKey && refused !== `Bearer ${sessionStorage.apiKey}`) return null; // given meanwhile
  door ??= new Promise((opened) => {
    problem("key", refused ? T.keyRefused : "");
    $("key").value = "";
    $("door").showModal();
    $("key-form").onsubmit = (event) => {
      event.preventDefault();
      const key = $("key").value.trim();
      if (!/^[!-~]+$/.test(key)) return problem("key", T.keyRefused); // no header can carry it
      sessionStorage.apiKey = key;
      $("door").close();
      door = null;
      opened();
    };
  });
  return door;
}
$("door").oncancel = (event) => event.preventDefault(); // there is nothing to see without it
