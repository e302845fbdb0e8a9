// What the page says in English, besides the texts of page.html. Numbers come in formatted.

import { quoted } from "./quoted.js";

const plural = (n, one, many) => (n === "1" ? `${n} ${one}` : `${n} ${many}`);

export const ENGLISH = {
  headline: {
    unknown: () => "Two rows cannot tell what an hour of study is worth.",
    none: () => "Hours of study make no difference.",
    rises: (points) => `Each hour of study is worth ${plural(points, "point", "points")}.`,
    falls: (points) => `Each hour of study costs ${plural(points, "point", "points")}.`,
    risesBy: (low, high) => `Each hour of study is worth ${low} to ${high} points.`,
    fallsBy: (low, high) => `Each hour of study costs ${low} to ${high} points.`,
    unclear: (low, high) =>
      `An hour of study may or may not matter: from ${low} to ${high} points.`,
  },
  lead: (rows, low, high) =>
    `Learned from ${plural(rows, "row", "rows")} of ${low} to ${high} hours. Move the slider to ask the model.`,
  manyPoints: (n) => plural(n, "point", "points"),
  interval: (low, high) =>
    `95 % of people who study this long should score between ${low} and ${high}.`,
  noInterval: "A range would need at least 3 training rows.",
  noWidth: "The line meets every training row, so the 95 % range has no width.",
  atLimit: (limit) => `All of the 95 % range lies at ${limit}, the limit of scores.`,
  extrapolated: (low, high) =>
    `Extrapolation: the model saw ${low} to ${high} hours only. Out here the line is a guess.`,
  takes: {
    between: (low, high) => `The 95 % range holds this score from ${low} to ${high} hours.`,
    from: (low) => `The 95 % range holds this score from ${low} hours on, without an end.`,
    unsure: "How sure that is, these rows cannot tell.",
  },
  takesNone: {
    level: () => "The line is level: no number of hours is better than another.",
    limits: (low, high) => `Scores go from ${low} to ${high}.`,
    beyond: (most) => `The line does not reach this score between 0 and ${most} hours.`,
  },
  score: "score",
  hours: "hours",
  low: "low",
  high: "high",
  lineLow: "line from",
  lineHigh: "line to",
  outside: "extrapolation",
  trainedOn: "trained on these hours",
  trained: "trained",
  fitTitle: "Score by hours of study",
  fitLabel: (equation, low, high, points) =>
    `${equation}, trained on ${low} to ${high} hours` +
    (points === "0" ? "." : `, ${plural(points, "training row", "training rows")} shown.`),
  whatW: "weight: points that one more hour brings",
  whatB: "bias: points with no study at all",
  certainty: (what, low, high) => `${what}; 95 % sure to lie between ${low} and ${high}`,
  r2: (share) => `The hours explain ${share} of the differences between the scores.`,
  nearlyAll: "more than 99.9 %",
  r2Worse: "Always guessing the mean score would do better.",
  r2None: "All scores are the same: there is nothing to explain.",
  r2Two: "Two rows explain nothing: any two lie on a line.",
  cv: "How far off it typically is on rows it has not seen.",
  cvNone: "It needs at least two folds of rows.",
  sd: "How far training rows typically lie from the line.",
  sdNone: "It needs at least 3 rows.",
  descent: (first, last) =>
    `The cost (mean squared error) fell from ${first} to ${last} as SGD moved W and b, epoch by epoch.`,
  cost: "cost",
  epoch: "epoch",
  costsTitle: "Cost by epoch",
  costsLabel: (first, last, epochs) =>
    `The cost falls from ${first} to ${last} over ${epochs} epochs.`,
  standardUnits: (lr) => `${lr}, standard units`,
  rawHours: (lr) => `${lr}, hours as they are`,
  source: (name, rows) => `${name} (${plural(rows, "row", "rows")})`,
  moreSources: (n) => `and ${n} more`,
  swapped: (time) => `A new model was put in place at ${time}. This page shows it now.`,
  silent: "The service does not answer. The page keeps trying.",
  copied: "Copied.",
  copiedTable: "Copied. Paste it into a spreadsheet.",
  heading: (line, text) => `Line ${line}, ${quoted(text)}, was passed over as a heading.`,
  predicted: (rows) => `${plural(rows, "row", "rows")} predicted.`,
  refusals: {
    notNumber: (text) =>
      text.trim() ? `${quoted(text)} is no number such as 4 or 1.5.` : "Type a number, such as 4.",
    twoNumbers: (text, one, other) =>
      `${quoted(text)} can be ${one} or ${other}. Write it in one of these ways.`,
    tooLittle: () => "Hours cannot be below 0.",
    tooMuch: (most) => `Hours cannot be above ${most}, the hours in a year.`,
    noHours: () => "Paste at least one number of hours.",
    notHours: (line, text) => `Line ${line}: ${quoted(text)} is no number of hours such as 1.5.`,
    twoHours: (line, text, one, other) =>
      `Line ${line}: ${quoted(text)} can be ${one} or ${other}. Write it in one of these ways.`,
    empty: (line) => `Line ${line} has no hours.`,
    cells: (line, found, wanted) => `Line ${line} has ${found} cells, and the first has ${wanted}.`,
    whichColumn: (line, numbers) =>
      numbers > 1
        ? `Line ${line} has ${numbers} numbers. Write one on each line, or a heading “hours” above the column that is meant.`
        : `Line ${line} has no number of hours and no heading “hours”.`,
    tooMany: (line, most) =>
      `Line ${line} is one too many: at most ${most.toLocaleString("en")} rows at once.`,
    lineTooLittle: (line) => `Line ${line}: Hours cannot be below 0.`,
    lineTooMuch: (line, most) =>
      `Line ${line}: Hours cannot be above ${most}, the hours in a year.`,
    workbook: () => "This is a workbook. Copy its cells and paste them here, or save it as CSV.",
    notText: () => "This file is no text. Save the table as CSV.",
    tooLarge: (most) =>
      `This file is too large: at most ${most.toLocaleString("en")} rows at once.`,
    oneFile: () => "One file at a time.",
    keyRefused: () => "The service does not accept this key.",
    service: (sentence) => sentence,
  },
};
