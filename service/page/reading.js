// Which of the columns are hours, and how their numbers are written; nothing is guessed. No part of
// this knows the page.

import {
  MARKS,
  Refusal,
  clean,
  hoursIn,
  isPlain,
  looksLikeNumber,
  outOfRange,
} from "./numerals.js";
import { ABOUT_HOURS, isBlank, waysOf } from "./records.js";

const HOURS = /^(hours|시간)$/i;
const SCORE = /^(score|점수)$/i;
const ABOUT_SCORES = /score|(?<!re)mark|grade|points|점수/i;

// The places of those that are called so, or else of those that have the word.
const named = (cells, name, word) => {
  const places = (meant) => cells.flatMap((cell, i) => (meant.test(cell) ? [i] : []));
  return places(name).length ? places(name) : places(word);
};

// The column of scores under a heading; null unless there is exactly one.
export function scoreColumn({ heading, column }) {
  const found = named(heading?.cells ?? [], SCORE, ABOUT_SCORES).filter((i) => i !== column);
  return found.length === 1 ? found[0] : null;
}

// The columns that can be the hours: under such a heading, or the only ones of numbers. Throws
// Refusal where there is none.
function columnsOf(heading, rows) {
  const width = (heading ?? rows[0]).cells.length;
  const meant = named(heading?.cells ?? [], HOURS, ABOUT_HOURS);
  if (meant.length) return meant;
  const scores = named(heading?.cells ?? [], SCORE, ABOUT_SCORES);
  if (width === 1 && !scores.length) return [0];
  const isNumber = (cell) => MARKS.some((mark) => !isNaN(hoursIn(cell, mark)));
  const isNumeric = (column) => {
    const cells = rows.map(({ cells }) => cells[column]).filter(Boolean);
    return 2 * cells.filter(isNumber).length > cells.length;
  };
  const numeric = [...Array(width).keys()].filter((i) => !scores.includes(i) && isNumeric(i));
  if (!numeric.length) throw new Refusal("noColumn").at((heading ?? rows[0]).at);
  return numeric;
}

// Beside the hours of a single line there may be words; a number among them may be meant as well.
function checkLeftOver({ at, cells }, column, mark) {
  const isWord = (cell, i) => i === column || !isNaN(hoursIn(cell, mark)) || !/\p{N}/u.test(cell);
  const leftOver = cells.find((cell, i) => !isWord(cell, i));
  if (leftOver) throw new Refusal("leftOver", leftOver).at(at);
}

// A row with its hours, or with the problem that it has; a blank line has neither.
function readRow({ at, cells: all }, width, column, mark, most) {
  const cells = [...all];
  while (cells.length > width && !cells.at(-1)) cells.pop();
  if (isBlank({ cells }))
    return { at, cells: Array(width).fill(""), hours: null, nth: null, problem: null };
  const hours = hoursIn(cells[column] ?? "", mark);
  let problem = null;
  if (cells.length !== width) problem = new Refusal("cells", cells.length, width);
  else if (!cells[column]) problem = new Refusal("empty");
  else if (isNaN(hours)) problem = new Refusal("notHours", cells[column]);
  else problem = outOfRange(hours, most);
  problem?.at(at);
  return { at, cells, hours: problem ? null : hours, nth: null, problem };
}

// Records as a table, with each column and decimal mark that can be meant. Where programs wrote
// all numbers, the mark is a point. Throws Refusal.
function tablesOf(records, separator, most, longest) {
  const hasHeading = records.length > 1 && !records[0].cells.some(looksLikeNumber);
  const [heading, body] = hasHeading ? [records[0], records.slice(1)] : [null, records];
  const filled = body.filter((record) => !isBlank(record));
  if (!filled.length) throw new Refusal("noHours");
  if (filled.length > longest) throw new Refusal("tooMany", longest).at(filled[longest].at);
  const width = (heading ?? filled[0]).cells.length;
  const columns = columnsOf(heading, filled);
  const tables = MARKS.flatMap((mark) =>
    columns.map((column) => {
      if (filled.length === 1 && !heading) checkLeftOver(filled[0], column, mark);
      const rows = body.map((record) => readRow(record, width, column, mark, most));
      const bad = rows.filter(({ problem }) => problem).length;
      return { heading, rows, column, separator, mark, bad, usable: 2 * bad <= filled.length };
    }),
  );
  const isPlainTable = ({ rows, column, mark }) =>
    mark === "." && rows.every(({ cells, hours }) => hours === null || isPlain(cells[column]));
  return tables.filter(
    (table) =>
      !tables.some(
        (other) =>
          other !== table &&
          other.column === table.column &&
          isPlainTable(other) &&
          other.rows.every(({ hours }, i) => hours !== null || table.rows[i].hours === null),
      ),
  );
}

// The tables that a text can be read as, each with other hours; more than one if only a person can
// tell, with the Refusal that says so. A table is
// { heading, rows, column, separator, mark, bad, usable }, and each row has its place, its cells,
// and its hours or its problem; `nth` is its number among those with hours. Throws Refusal if the
// text is not a table or too long.
export function readTables(text, { hours_max: most, batch_max: longest }) {
  if (!clean(text)) throw new Refusal("noHours");
  const ways = [];
  let refusal = null;
  for (const { records, separator } of waysOf(text.normalize("NFC")))
    try {
      ways.push(tablesOf(records, separator, most, longest));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refusal ??= error;
    }
  if (!ways.length) throw refusal;
  const usable = ways.map((tables) => tables.filter((table) => table.usable));
  if (!usable.flat().length) return { tables: ways[0].slice(0, 1) };
  // the ways with the fewest bad rows; bad rows do not say which column is meant
  const least = Math.min(...usable.flat().map(({ bad }) => bad));
  const best = usable
    .filter((tables) => tables.some(({ bad }) => bad === least))
    .flatMap((tables) =>
      tables.filter(
        ({ column, bad }) => !tables.some((other) => other.column === column && other.bad < bad),
      ),
    );
  const differ = best.filter(
    (table, i) => !best.slice(0, i).some((other) => firstDifference(table, other) < 0),
  );
  return { tables: differ, refusal: differ.length > 1 ? whichIsMeant(differ) : null };
}

// The first row whose hours are not the same in both; -1 where all are.
const firstDifference = (one, other) =>
  one.rows.length === other.rows.length
    ? one.rows.findIndex(({ hours }, i) => hours !== other.rows[i].hours)
    : 0;

function whichIsMeant([one, other, ...more]) {
  const i = Math.max(0, firstDifference(one, other));
  const [row, its] = [one.rows[i], other.rows[i]];
  if (one.separator !== other.separator || one.rows.length !== other.rows.length)
    return new Refusal("severalWays", row.cells.join(" ")).at(row.at);
  if (one.column !== other.column)
    return new Refusal("whichColumn", more.length + 2).at((one.heading ?? row).at);
  if (row.hours !== null && its.hours !== null)
    return new Refusal("twoNumbers", row.cells[one.column], row.hours, its.hours).at(row.at);
  const point = one.rows.find(({ hours }, j) => hours !== null && other.rows[j].hours === null);
  const comma = other.rows.find(({ hours }, j) => hours !== null && one.rows[j].hours === null);
  return new Refusal("mixedMarks", point.cells[one.column], comma.cells[one.column]).at(point.at);
}
