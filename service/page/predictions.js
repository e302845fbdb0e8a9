// Pasted rows and what was found for them, in words, as a table to look at and as one to take away.

import { addRow, tableOf } from "./dom.js";
import { T } from "./language.js";
import { decimalsOf, digits, fixed, hoursText, isWide, whole } from "./numbers.js";
import { numberIn } from "./numerals.js";

const FOUND = ["score", "low", "high", "extrapolated"];
const isScore = (name) => /^score$/i.test(name); // which may have come too

// The names of the columns that came; where they have none, that of the hours and numbers.
const namesOf = ({ heading, rows, column }, hours) =>
  heading?.cells ?? rows[0].cells.map((_, i) => (i === column ? hours : T.column(i + 1)));

const isWord = (cell, mark) => cell && isNaN(numberIn(cell, mark));

// What a table is read as: the first of its hours, and where there are several columns, which.
export function reading({ heading, rows, column }) {
  const hours = rows.flatMap((row) => row.hours ?? []);
  const some = hours.slice(0, 3).map(hoursText).join("; ") + (hours.length > 3 ? "; …" : "");
  return rows[0].cells.length === 1
    ? some
    : `${heading?.cells[column] ?? T.column(column + 1)}: ${some}`;
}

// The table, and what draws its rows up to one.
export function sheetOf(table, found) {
  const { rows, column, mark } = table;
  const names = namesOf(table, T.hours);
  const words = [...names.keys()].filter(
    (i) => i !== column && rows.some(({ cells }) => isWord(cells[i], mark)),
  );
  const score = names.some(isScore) ? T.predictedScore : T.score;
  const sheet = tableOf([...names, score, T.low, T.high, ""], [], words);
  sheet.setAttribute("aria-rowcount", rows.length + 1);
  const texts = textsOf(found);
  const cellsOf = ({ cells, hours, nth, problem }) => [
    ...names.map((_, i) => (i === column && hours !== null ? hoursText(hours) : (cells[i] ?? ""))),
    ...(hours === null ? ["", "", "", problem ? T.leftOut : ""] : texts(nth)),
  ];
  const [body] = sheet.tBodies;
  const drawTo = (end) =>
    rows.slice(body.rows.length, end).forEach((row) => addRow(body, cellsOf(row), words));
  return { sheet, drawTo };
}

// All in as many digits as the range in the middle allows; those cut at a limit may be narrow.
function textsOf({ low, high, score, extrapolated }) {
  const widths = low.flatMap((each, i) => (isWide(each, high[i]) ? [high[i] - each] : []));
  const middle = widths.sort((one, other) => one - other)[widths.length >> 1];
  const decimals = middle === undefined ? null : decimalsOf(middle);
  const text = (value) =>
    value === null ? "–" : decimals === null ? digits(value, 6) : fixed(value, decimals);
  return (i) => [...[score[i], low[i], high[i]].map(text), extrapolated[i] ? T.outside : ""];
}

// What was understood, and how much of it could be predicted.
export function note({ heading, rows, column, bad }, { score }) {
  const blank = rows.length - bad - score.length;
  return [
    T.predicted(score.length, score.length + bad),
    ...(blank ? [T.blank(whole(blank))] : []),
    ...(heading?.at ? [T.heading(T.place(heading.at), heading.cells.join(" "))] : []),
    ...(heading?.cells.length > 1 ? [T.hoursColumn(heading.cells[column])] : []),
  ].join(" ");
}

// What came, and every digit of what was found, written as what came.
export function lines(table, found) {
  const names = namesOf(table, "hours");
  const written = (value) => (value === null ? "" : String(value).replace(".", table.mark));
  return [
    [...names, ...FOUND.map((name) => (names.some(isScore) && isScore(name) ? "predicted" : name))],
    ...table.rows.map(({ cells, nth }) => [
      ...names.map((_, i) => cells[i] ?? ""),
      ...FOUND.map((name) => (nth === null ? "" : written(found[name][nth]))),
    ]),
  ];
}

// How the scores that came compare.
export function comparison({ inside, points, misses }) {
  const list = misses.map(({ name, score, predicted }) =>
    T.miss(typeof name === "string" ? name : T.place(name), digits(score, 6), digits(predicted, 3)),
  );
  return T.compared(whole(inside), whole(points.length), list.join(", "));
}
