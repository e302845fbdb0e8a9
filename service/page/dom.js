// The page's elements, and what is wrong with what somebody typed there.

export const $ = (id) => document.getElementById(id);

export function problem(field, sentence) {
  $(`${field}-problem`).textContent = sentence;
  $(field).setAttribute("aria-invalid", Boolean(sentence));
}

export function fill(values) {
  for (const [id, value] of Object.entries(values)) $(id).textContent = value;
}
