// Numbers as people read them.

import { language } from "./language.js";

export const between = (value, low, high) => Math.min(Math.max(value, low), high);
export const number = (value, options) =>
  new Intl.NumberFormat(language, { signDisplay: "negative", ...options }).format(value); // no -0
export const whole = (value) => number(value);
const short = (value, most) =>
  number(value, { notation: "compact", maximumSignificantDigits: most });
// So many digits at most, and none that are nothing but rounding.
export const digits = (value, most) =>
  Math.abs(value) >= 1e9
    ? short(value, most)
    : number(value, {
        maximumSignificantDigits: most,
        maximumFractionDigits: 9,
        roundingPriority: "lessPrecision",
      });
export const hoursText = (value) => number(value, { maximumFractionDigits: 4 });
export const tickText = (value) => (Math.abs(value) >= 1e5 ? short(value, 6) : digits(value, 6));

export function costText(value) {
  if (value >= 1e5 && value < 1e15) return short(value, 3);
  if ((value >= 1e-3 && value < 1e5) || value === 0) return digits(value, 3);
  const [times, power] = value.toExponential(0).split("e");
  const raised = [...power]
    .map((sign) => ({ "-": "⁻", "+": "" })[sign] ?? "⁰¹²³⁴⁵⁶⁷⁸⁹"[sign])
    .join("");
  return (times === "1" ? "" : `${times}·`) + `10${raised}`;
}

// Whether an interval is more than rounding.
export const isWide = (low, high) =>
  low !== null && high - low > 1e-9 * Math.max(Math.abs(low), Math.abs(high));

export const fixed = (value, decimals) =>
  number(value, { minimumFractionDigits: decimals, maximumFractionDigits: decimals });

// The decimals that numbers deserve which are uncertain by so much: two digits of it.
export const decimalsOf = (width) => between(1 - Math.floor(Math.log10(width)), 0, 12);

// Numbers with the decimals that an interval of this width leaves them; of those that are not
// uncertain, or nobody knows how much, up to six digits.
export function measured(value, width) {
  if (!(width > 1e-9 * Math.abs(value))) return digits(value, 6);
  const [of, ofWidth] = [Math.abs(value), width].map((each) => Math.floor(Math.log10(each)));
  if (of >= 9) return short(value, between(of - ofWidth + 2, 2, 12));
  return fixed(value, decimalsOf(width));
}
