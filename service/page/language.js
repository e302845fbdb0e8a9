// The language of the page, and its texts: who imports T has those of the language now spoken.

import { $ } from "./dom.js";
import { ENGLISH } from "./english.js";
import { KOREAN } from "./korean.js";

const TEXTS = { en: ENGLISH, ko: KOREAN };
export let language =
  sessionStorage.language ?? (navigator.language.startsWith("ko") ? "ko" : "en");
export let T = TEXTS[language];

export function speakTheOther() {
  language = language === "ko" ? "en" : "ko";
  sessionStorage.language = language;
  T = TEXTS[language];
}

// Puts the texts that never change into the page. It comes in English, so that it can be read
// before any of this runs.
export function write() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-text]"))
    element.textContent = inLanguage(element, element.dataset.text, element.textContent);
  for (const element of document.querySelectorAll("[data-label]"))
    element.ariaLabel = inLanguage(element, element.dataset.label, element.ariaLabel);
  for (const [id, refusal] of refusals) $(id).textContent = sentenceOf(refusal);
  $("language").textContent = language === "ko" ? "English" : "한국어";
  $("language").lang = language === "ko" ? "en" : "ko";
}

function inLanguage(element, name, text) {
  element.dataset.english ??= text;
  return T.page?.[name] ?? element.dataset.english;
}

const refusals = new Map(); // what is said now, by the element that says it
const sentenceOf = (refusal) => (refusal ? T.refusals[refusal.text](...refusal.values) : "");

// What is wrong with what somebody typed in a field; null where nothing is.
export function complain(field, refusal) {
  refusals.set(`${field}-problem`, refusal);
  $(`${field}-problem`).textContent = sentenceOf(refusal);
  $(field).setAttribute("aria-invalid", Boolean(refusal));
}
