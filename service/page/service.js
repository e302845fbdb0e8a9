// Asks the service, and a person for the key where it wants one.

import { $ } from "./dom.js";
import { complain } from "./language.js";
import { Refusal } from "./numerals.js";

export class Silence extends Error {} // no answer now; there may be one later

const silent = new Set(); // the addresses that gave no answer when last asked

// The answer, and in `by` the tag of the model that gave it. Throws Refusal if it is not to be had
// for this, and Silence if it is not to be had now.
export async function ask(address, body) {
  const headers = { Accept: "application/json" };
  if (body) headers["Content-Type"] = "application/json";
  if (sessionStorage.apiKey) headers.Authorization = `Bearer ${sessionStorage.apiKey}`;
  try {
    const response = await fetch(address, {
      method: body ? "POST" : "GET",
      headers,
      body: body && JSON.stringify(body),
      cache: "no-store",
      signal: AbortSignal.timeout(10_000),
    });
    const { status } = response;
    if (status === 401) {
      await askForKey(headers.Authorization);
      return ask(address, body);
    }
    if (!response.ok && status !== 400 && status !== 413) throw new Silence(status);
    const found = await response.json();
    hear(address, true);
    if (!response.ok) throw new Refusal("service", found.error);
    return { ...found, by: response.headers.get("X-Model") };
  } catch (error) {
    if (error instanceof Refusal) throw error;
    hear(address, false); // nor is a page of a proxy's an answer
    throw new Silence(error);
  }
}

function hear(address, answered) {
  if (answered) silent.delete(address);
  else silent.add(address);
  $("trouble").hidden = silent.size === 0;
}

// Waits so many milliseconds, or until there is a network again.
export const patience = (milliseconds) =>
  new Promise((over) => {
    const timer = setTimeout(over, milliseconds);
    addEventListener("online", () => over(clearTimeout(timer)), { once: true });
  });

// A question that changes while it is being asked: one request at a time, the last one wanted is
// asked next, and again until the service answers, by the model that is shown. `tell` has what is
// to be done: wait(), answer(body, found), refuse(refusal), and silence() where that is to be said.
export function question(address, isShown, tell) {
  let wanted = null; // null where there is nothing to ask
  let asking = false;
  return async (body) => {
    wanted = body;
    if (!wanted) return;
    tell.wait();
    if (asking) return;
    asking = true;
    try {
      for (let asked = null; wanted && asked !== wanted;) {
        asked = wanted;
        const found = await answered(address, asked, isShown);
        if (!found) {
          if (silent.has(address)) tell.silence?.();
          asked = await patience(1000);
        } else if (!found.refusal && wanted) tell.answer(asked, found, wanted === asked);
        else if (wanted === asked) tell.refuse(found.refusal);
      }
    } finally {
      asking = false;
    }
  };
}

// The answer or { refusal }; nothing where there is none now.
async function answered(address, body, isShown) {
  try {
    const found = await ask(address, body);
    return isShown(found.by) ? found : null;
  } catch (error) {
    if (error instanceof Refusal) return { refusal: error };
    if (error instanceof Silence) return null;
    throw error;
  }
}

let door = null; // the promise of a key, while one is being asked for

function askForKey(refused) {
  if (sessionStorage.apiKey && refused !== `Bearer ${sessionStorage.apiKey}`) return null; // given meanwhile
  door ??= new Promise((opened) => {
    complain("key", refused && new Refusal("keyRefused"));
    $("key").value = "";
    $("door").showModal();
    $("key-form").onsubmit = (event) => {
      event.preventDefault();
      const key = $("key").value.trim();
      if (!/^[!-~]+$/.test(key)) return complain("key", new Refusal("keyRefused")); // no header can carry it
      sessionStorage.apiKey = key;
      door = null;
      $("door").close();
      opened();
    };
  });
  return door;
}
// There is nothing to see without it, and Escape closes it whatever one does.
$("door").onclose = () => door && !$("door").open && $("door").showModal();
