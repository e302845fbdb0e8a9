// What the page says in English, besides the texts of page.html. Numbers come in formatted.

import { quoted } from "./quoted.js";

const plural = (n, one, many) => (n === "1" ? `${n} ${one}` : `${n} ${many}`);
const several = (n) => n.toLocaleString("en");

export const ENGLISH = {
  headline: {
    unknown: () => "Two rows cannot tell what an hour of study is worth.",
    none: () => "Scores are the same however long people study.",
    rises: (points) => `One more hour goes with ${plural(points, "point", "points")} more.`,
    falls: (points) => `One more hour goes with ${plural(points, "point", "points")} fewer.`,
    risesBy: (low, high) => `One more hour goes with ${low} to ${high} points more.`,
    fallsBy: (low, high) => `One more hour goes with ${low} to ${high} points fewer.`,
    unclear: (low, high) =>
      `An hour of study may or may not matter: from ${low} to ${high} points.`,
  },
  lead: (rows, low, high) =>
    `Learned from ${plural(rows, "row", "rows")} of ${low} to ${high} hours. Move the slider to ask the model.`,
  manyPoints: (n) => plural(n, "point", "points"),
  interval: (low, high) =>
    `95 % of people who study this long should score between ${low} and ${high}.`,
  intervalOut: (low, high) =>
    `If the line went on this far, 95 % of people should score between ${low} and ${high}.`,
  cutScore: (line, limit) => `The line itself says ${line}, but scores end at ${limit}.`,
  cutRange: (limits) => `The range is cut at ${limits.join(" and ")}, where scores end.`,
  few: (rows) => `With ${plural(rows, "row", "rows")} that proves little.`,
  caveat: (sentences) => `Careful: ${sentences}`,
  holds: "holds",
  doubtful: "doubtful",
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
    above: (points) => `The line is above this score at 0 hours already: ${points} points.`,
    below: (points) => `The line is below this score at 0 hours already: ${points} points.`,
    unclear: () => "These rows cannot tell whether hours matter, so nor how many a score takes.",
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
  whatW: "weight: points that go with one more hour",
  whatB: "bias: points with no study at all",
  certainty: (what, low, high) => `${what}; 95 % sure to lie between ${low} and ${high}`,
  r2: (share) => `The hours explain ${share} of the differences between the scores.`,
  nearlyAll: "more than 99.9 %",
  percent: (n) => `${n}\u00a0%`,
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
  heading: (place, text) => `${place}, ${quoted(text)}, was passed over as a heading.`,
  hoursColumn: (name) => `The hours are in the column ${quoted(name)}.`,
  predicted: (done, rows) =>
    done === rows
      ? `${plural(several(rows), "row", "rows")} predicted.`
      : `${several(done)} of ${several(rows)} rows predicted; ${several(rows - done)} left out.`,
  blank: (lines) => `${plural(lines, "blank line", "blank lines")} passed over.`,
  leftOut: "left out",
  predictedScore: "predicted score",
  column: (n) => `column ${n}`,
  silentRows: "The service does not answer. These rows are asked about again until it does.",
  compared: (inside, rows, misses) =>
    `${inside} of ${rows} scores lie within the 95 % range.` +
    (misses && ` The largest misses: ${misses}.`) +
    " This was compared in your browser; no score was sent.",
  miss: (name, score, predicted) => `${name} (${score}, predicted ${predicted})`,
  attempt: (line, own, best) => `${line}: cost ${own}. SGD’s best: ${best}.`,
  asGood: "As good as SGD’s!",
  handle: (hours) => `Score of your line at ${plural(hours, "hour", "hours")}`,
  handleAt: (score, cost) => `${score} points, cost ${cost}`,
  replay: (epoch, line, cost) => `Before the step of epoch ${epoch}: ${line}, cost ${cost}.`,
  labTrack: (lr) => `the lab’s: ${lr}, hours as they are`,
  diverges: "SGD diverges: at this learning rate, its steps are too long for these hours.",
  play: "Play",
  pause: "Pause",
  place: ({ line, item }) => (line ? `Line ${line}` : `Item ${item}`),
  moreProblems: (n) => `…and ${several(n)} more.`,
  refusals: {
    notNumber: (text) =>
      text.trim() ? `${quoted(text)} is not a number such as 4 or 1.5.` : "Type a number, such as 4.",
    twoNumbers: (text, one, other) =>
      `${quoted(text)} can be ${one} or ${other}. Write it in one of these ways.`,
    tooLittle: () => "Hours cannot be below 0.",
    tooMuch: (most) => `Hours cannot be above ${most}, the hours in a year.`,
    noHours: () => "Paste at least one number of hours.",
    notHours: (text) => `${quoted(text)} is not a number of hours such as 1.5.`,
    severalWays: (text) => `${quoted(text)} can be one number or several. Choose what is meant:`,
    mixedMarks: (point, comma) =>
      `${quoted(point)} has a decimal point, and ${quoted(comma)} a decimal comma. Write all in one way.`,
    empty: () => "There are no hours.",
    cells: (found, wanted) => `There are ${found} cells, and the first line has ${wanted}.`,
    whichColumn: (columns) =>
      `There are ${columns} columns of numbers. Choose the one with the hours, or call it “hours”.`,
    noColumn: () => "There is no number of hours, and no heading “hours”.",
    otherList: (name) => `This is a list of ${quoted(name)}, and not of hours.`,
    leftOver: (text) =>
      `${quoted(text)} is left over. Write a row on each line, or a list: 1, 2.5, 4.`,
    notList: () => "This is not a list such as [1, 2.5, 4].",
    tooMany: (most) => `This is one too many: at most ${several(most)} rows at once.`,
    workbook: () => "This is a workbook. Copy its cells and paste them here, or save it as CSV.",
    notText: () => "This file is not text. Save the table as CSV.",
    tooLarge: (most) => `This file is too large: at most ${several(most)} rows at once.`,
    oneFile: () => "One file at a time.",
    keyRefused: () => "The service does not accept this key.",
    service: (sentence) => sentence,
  },
};
