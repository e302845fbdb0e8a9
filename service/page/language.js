// The language of the page, and its texts: who imports T has those of the language now spoken.

import { $ } from "./dom.js";
import { TEXTS } from "./texts.js";

export let language =
  sessionStorage.language ?? (navigator.language.startsWith("ko") ? "ko" : "en");
export let T = TEXTS[language];

export function speakTheOther() {
  language = language === "ko" ? "en" : "ko";
  sessionStorage.language = language;
  T = TEXTS[language];
}

// Puts the texts that never change into the page.
export function write() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-text]"))
    element.textContent = T[element.dataset.text];
  for (const element of document.querySelectorAll("[data-label]"))
    element.setAttribute("aria-label", T[element.dataset.label]);
  $("language").textContent = T.other;
  $("language").lang = language === "ko" ? "en" : "ko";
}
