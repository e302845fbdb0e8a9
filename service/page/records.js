// The lines or items of a text, by each way of parting them. No part of this knows the page.

import { MARKS, Refusal, clean, hoursIn, looksLikeNumber } from "./numerals.js";

export const ABOUT_HOURS = /hour|hrs|시간|stunde/i;
const NO_SEPARATOR = "\0"; // no text has it
const LIST =
  /^\s*(?:([\p{L}_ ]+?)\s*(?:=|:|<-)\s*)?(?:c|list|array|np\.array)?[[({]([^[\](){}]*)[\])}]\s*;?\s*$/u;
const CELLS = Object.fromEntries(
  ["\t", ";", ",", "|", NO_SEPARATOR].map((sign) => [
    sign,
    new RegExp(
      `[^\\S\r\n${sign}]*"((?:[^"]|"")*)"[^\\S\r\n${sign}]*([${sign}]|\r\n?|\n|$)|([^${sign}\r\n]*)([${sign}]|\r\n?|\n|$)`,
      "g",
    ),
  ]),
);

// The lines of a text as { at, cells }; a cell between quotation marks may hold separators and
// line ends. `at` is where the line stands.
function recordsOf(text, separator, skipped) {
  const records = [];
  let line = 1 + skipped;
  let record = { at: { line }, cells: [] };
  for (const [all, quoted, after, bare, afterBare] of text.matchAll(CELLS[separator])) {
    const end = after ?? afterBare;
    record.cells.push(clean(quoted?.replaceAll('""', '"') ?? bare));
    line += all.match(/\r\n?|\n/g)?.length ?? 0;
    if (end === separator) continue;
    records.push(record);
    record = { at: { line }, cells: [] };
    if (!end) break;
  }
  return records;
}

export const isBlank = ({ cells }) => !cells.some(Boolean);

const listed = (items) => items.map((item, i) => ({ at: { item: i + 1 }, cells: [clean(item)] }));

// The records of JSON: a list, a list of rows or objects, an object of lists; null for other text.
function recordsOfJson(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (value === null || typeof value !== "object") return null;
  const textOf = (cell) =>
    cell === null ? "" : typeof cell === "object" ? JSON.stringify(cell) : String(cell);
  const at = (item) => ({ item });
  const rows = (heading, cells) => [
    { at: null, cells: heading },
    ...cells.map((each, i) => ({ at: at(i + 1), cells: each.map((cell) => textOf(cell ?? null)) })),
  ];
  if (!Array.isArray(value)) {
    const columns = Object.values(value).map((each) => (Array.isArray(each) ? each : [each]));
    const length = Math.max(0, ...columns.map((each) => each.length));
    return rows(
      Object.keys(value),
      Array.from({ length }, (_, i) => columns.map((column) => column[i])),
    );
  }
  if (value.length && value.every((each) => each && typeof each === "object"))
    if (!value.some(Array.isArray)) {
      const names = [...new Set(value.flatMap(Object.keys))];
      return rows(
        names,
        value.map((each) => names.map((name) => each[name])),
      );
    } else if (value.every(Array.isArray)) return rows([], value).slice(1);
  return listed(value.map(textOf));
}

// The ways in which a text is a list: between brackets, or on one line with signs or blanks between
// the numbers. Throws Refusal for a list of something else.
function listsOf(text) {
  const [, named, inside] = LIST.exec(text) ?? [];
  const [, label, after] = (inside === undefined && /^([\p{L}_ ]+?)\s*[:=](.+)$/u.exec(text)) || [];
  const line = (inside ?? after ?? text).trim();
  if (inside === undefined && (/[\r\n]/.test(line) || !looksLikeNumber(line))) return [];
  const name = named ?? label;
  if (name && !ABOUT_HOURS.test(name)) throw new Refusal("otherList", name);
  const isNumber = (item) => MARKS.some((mark) => !isNaN(hoursIn(item, mark)));
  const signs = [";", "\t", ","].filter((sign) => line.includes(sign));
  const isOne = /^\d{1,3}( \d{3})+$/.test(line); // whose thousands are parted
  if (/\s/.test(line) && !isOne && line.split(/\s+/).every(isNumber)) signs.push(/\s+/);
  if (inside !== undefined) signs.splice(1, Infinity, ...(signs.length ? [] : [","]));
  if (name && !signs.length) signs.push(","); // a list of one
  return signs.map((sign) => {
    const items = line.split(sign);
    if (!clean(items.at(-1))) items.pop();
    return { records: listed(items), separator: NO_SEPARATOR };
  });
}

// Whether a cell has one bracket of a pair: a list that was parted.
const isTorn = (cell) => cell.match(/[[({]/g)?.length !== cell.match(/[\])}]/g)?.length;

// The ways in which lines are a table; throws Refusal.
function linesOf(text) {
  const [all, forced] = /^sep=([,;|\t])[^\S\r\n]*(?:\r\n?|\n)/i.exec(text) ?? [""];
  const rest = text.slice(all.length);
  const lines = (separator) => {
    const records = recordsOf(rest, separator, all ? 1 : 0);
    while (records.length && isBlank(records.at(-1))) records.pop();
    while (records.length && isBlank(records[0])) records.shift();
    return { records, separator };
  };
  if (forced) return [lines(forced)];
  const first = clean(rest.replace(/"(?:[^"]|"")*"/g, "")).split(/[\r\n]/)[0];
  if (/^[[({]/.test(first)) throw new Refusal("notList");
  const sign = ["\t", ";", ","].find((each) => first.includes(each));
  if (!sign) return [lines(NO_SEPARATOR)];
  if (lines(sign).records[0]?.cells.some(isTorn)) throw new Refusal("notList");
  return sign === "," && looksLikeNumber(first) ? [lines(NO_SEPARATOR), lines(",")] : [lines(sign)];
}

// Each way in which a text is a list or a table: { records, separator }. Throws Refusal.
export function waysOf(text) {
  const json = recordsOfJson(text);
  if (json) return [{ records: json, separator: "," }];
  const lists = listsOf(text.trim());
  if (!lists.length) return linesOf(text);
  // or it is one number
  const whole = { records: [{ at: { line: 1 }, cells: [clean(text)] }], separator: NO_SEPARATOR };
  return looksLikeNumber(text) ? [whole, ...lists] : lists;
}
