// A model's predictions beside the scores that pasted rows have, compared in the browser alone.

import { numberIn } from "./numerals.js";
import { scoreColumn } from "./reading.js";

const NAMED = 3; // of the largest misses

// The points [hours, score] of rows with a score, how many of them lie in the 95 % range, and the
// largest misses beyond it; null without scores or range.
export function compared(table, found) {
  const column = scoreColumn(table);
  if (column === null || found.low[0] === null) return null;
  const rows = table.rows
    .filter(({ hours }) => hours !== null)
    .map((row, i) => ({
      name: nameOf(row, table),
      hours: row.hours,
      score: numberIn(row.cells[column], table.mark),
      predicted: found.score[i],
      isInside: (score) => found.low[i] <= score && score <= found.high[i],
    }))
    .filter(({ score }) => Number.isFinite(score));
  if (!rows.length) return null;
  const outside = rows.filter(({ score, isInside }) => !isInside(score));
  const miss = ({ score, predicted }) => Math.abs(score - predicted);
  return {
    points: rows.map(({ hours, score }) => [hours, score]),
    inside: rows.length - outside.length,
    misses: outside.toSorted((one, other) => miss(other) - miss(one)).slice(0, NAMED),
  };
}

// The first cell that is a text and no number, or else the row's place.
const nameOf = ({ cells, at }, { column, mark }) =>
  cells.find((cell, i) => i !== column && cell && isNaN(numberIn(cell, mark))) ?? at;
