// The language of the page, and its texts: who imports T has those of the language now spoken.

import { $ } from "./dom.js";
import { ENGLISH } from "./english.js";
import { KOREAN } from "./korean.js";

const TEXTS = { en: ENGLISH, ko: KOREAN };
const wanted = new URL(location).searchParams.get("lang") ?? navigator.language;
export let language = wanted.startsWith("ko") ? "ko" : "en";
export let T = TEXTS[language];

// The address keeps it, so that it can be sent.
export function speakTheOther() {
  language = language === "ko" ? "en" : "ko";
  T = TEXTS[language];
  const address = new URL(location);
  address.searchParams.set("lang", language);
  history.replaceState(null, "", address);
}

// Puts the texts that never change into the page. It comes in English, so that it can be read
// before any of this runs.
export function write() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-text]"))
    element.textContent = inLanguage(element, element.dataset.text, element.textContent);
  for (const element of document.querySelectorAll("[data-label]"))
    element.ariaLabel = inLanguage(element, element.dataset.label, element.ariaLabel);
  for (const [id, found] of refusals) $(id).textContent = sentencesOf(found);
  $("language").textContent = language === "ko" ? "English" : "한국어";
  $("language").lang = language === "ko" ? "en" : "ko";
}

function inLanguage(element, name, text) {
  element.dataset.english ??= text;
  return T.page?.[name] ?? element.dataset.english;
}

const SAID = 10; // of many problems
const refusals = new Map(); // what is said now, by the element that says it
export function sentenceOf({ text, values, place }) {
  const sentence = T.refusals[text](...values);
  return place ? `${T.place(place)}: ${sentence}` : sentence;
}
function sentencesOf(found) {
  const more = found.length - SAID;
  return [
    ...found.slice(0, SAID).map(sentenceOf),
    ...(more > 0 ? [T.moreProblems(more)] : []),
  ].join("\n");
}

// What is wrong with what somebody typed in a field, each in a line; nothing where nothing is.
export function complain(field, ...refused) {
  const found = refused.filter(Boolean);
  refusals.set(`${field}-problem`, found);
  $(`${field}-problem`).textContent = sentencesOf(found);
  $(field).setAttribute("aria-invalid", found.length > 0);
}
