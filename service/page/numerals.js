// Numbers as people write them, read by rules that never guess. No part of this knows the page.

// Why something cannot be answered: the name of a text, and what stands in it.
export class Refusal extends Error {
  constructor(text, ...values) {
    super(text);
    Object.assign(this, { text, values, place: null });
  }

  // With the line, or the item of a list, that it is about.
  at(place) {
    return Object.assign(this, { place });
  }
}

const SPACES = "\u00a0\u2007\u2009\u202f'’"; // which part thousands; nobody types them elsewhere
const written = (point, comma) =>
  new RegExp(
    `^([-+]?)(\\d*|[1-9]\\d{0,2}([${comma}${SPACES}])\\d{3}(?:\\3\\d{3})*)(?:${point}(\\d*))?$`,
  );
const WRITTEN = { ".": written("\\.", ","), ",": written(",", ".") }; // by the mark before decimals
export const MARKS = Object.keys(WRITTEN);
const PLAIN = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i; // as programs write numbers
const UNIT = /\s*(?:h|hrs?|hours?|시간|std\.?|stunden?)$/iu;
const WIDE = /[！-～]/g; // what East Asian keyboards type for the signs of ASCII
const UNSEEN = /[\u200e\u200f\ufeff]/g; // what copying leaves at the ends of cells

export const clean = (text) => text.replace(UNSEEN, "").trim();
const numeral = (text) =>
  clean(text.replace(WIDE, (sign) => String.fromCharCode(sign.charCodeAt(0) - 0xfee0))).replace(
    /^−/,
    "-",
  );

// The number that a text is with this mark before its decimals; NaN if it is none.
export function numberIn(text, mark) {
  const cell = numeral(text);
  if (mark === "." && PLAIN.test(cell)) return Number(cell);
  const [, sign, digits = "", , decimals = ""] = WRITTEN[mark].exec(cell) ?? [];
  return digits || decimals ? Number(`${sign}${digits.replace(/\D/g, "")}.${decimals}`) : NaN;
}

// The same for hours, which may have their unit behind them; NaN too where they are infinite.
export function hoursIn(text, mark) {
  const hours = numberIn(numeral(text).replace(UNIT, ""), mark);
  return Number.isFinite(hours) ? hours : NaN;
}

export const isPlain = (text) => PLAIN.test(numeral(text).replace(UNIT, ""));
export const looksLikeNumber = (text) => /^[-+]?[.,]?\p{N}/u.test(numeral(text));

// The number in a field; throws Refusal.
export function readNumber(text, numberOf = numberIn) {
  const found = MARKS.map((mark) => numberOf(text, mark)).filter(Number.isFinite);
  if (!found.length) throw new Refusal("notNumber", text);
  if (found.length > 1 && found[0] !== found[1] && !isPlain(text))
    throw new Refusal("twoNumbers", text, ...found);
  return found[0];
}

// The hours in a field, of at most so many; throws Refusal.
export function readHours(text, most) {
  const hours = readNumber(text, hoursIn);
  const problem = outOfRange(hours, most);
  if (problem) throw problem;
  return hours;
}

export function outOfRange(hours, most) {
  if (hours < 0) return new Refusal("tooLittle");
  return hours > most ? new Refusal("tooMuch", most) : null;
}
