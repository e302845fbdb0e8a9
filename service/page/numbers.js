// Numbers as people read them.

import { language } from "./language.js";
import { between } from "./svg.js";

export const number = (value, options) =>
  new Intl.NumberFormat(language, { signDisplay: "negative", ...options }).format(value); // no -0
export const whole = (value) => number(value);
export const digits = (value, most) => number(value, { maximumSignificantDigits: most });
export const hoursText = (value) => number(value, { maximumFractionDigits: 4 });
export const tickText = (value) =>
  Math.abs(value) >= 1e5 ? number(value, { notation: "compact" }) : digits(value, 6);

export function costText(value) {
  if (value >= 1e5) return number(value, { notation: "compact", maximumSignificantDigits: 3 });
  if (value >= 1e-3 || value === 0) return digits(value, 3);
  const [times, power] = value.toExponential(0).split("e");
  const small = [...power].map((sign) => (sign === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[sign])).join("");
  return (times === "1" ? "" : `${times}·`) + `10${small}`;
}

// How many decimals the scores of the rows call for: 8.00, 61.8, 1,204.
export function decimalsOf(model, curve) {
  const usual = curve.score.filter((_, i) => curve.hours[i] <= model.hours_max).map(Math.abs);
  return between(2 - Math.floor(Math.log10(Math.max(...usual, 1e-9))), 0, 6);
}

export const scoreText = (value, decimals) =>
  number(value, { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
