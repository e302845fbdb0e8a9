// What a model is and how far to trust it, in the cards below the chart.

import { drawCosts, roundingOf } from "./descent.js";
import { $, fill, tableOf } from "./dom.js";
import { curveAt } from "./fit.js";
import { T, language } from "./language.js";
import { costText, digits, hoursText, isWide, measured, whole } from "./numbers.js";
import { ticks } from "./svg.js";
import * as wording from "./wording.js";

export const timeText = (date, style) => new Intl.DateTimeFormat(language, style).format(date);

export function drawCard(model) {
  const points = (value) => (value === null ? "–" : T.manyPoints(digits(value, 2)));
  const [W, whatW] = wording.parameter(T.whatW, model.W, model.W_low, model.W_high);
  const [b, whatB] = wording.parameter(T.whatB, model.b, model.b_low, model.b_high);
  const [r2, whatR2] = wording.explained(model);
  const source = ({ name, rows }) => T.source(name.split(/[\\/]/).at(-1), whole(rows));
  const others = model.sources.length - 3;
  fill({
    headline: wording.headline(model),
    lead: T.lead(whole(model.rows), hoursText(model.hours_min), hoursText(model.hours_max)),
    equation: wording.equation(model),
    W,
    "W-why": whatW,
    b,
    "b-why": whatB,
    rows: whole(model.rows),
    r2,
    "r2-why": whatR2,
    cv: points(model.cv_rmse),
    "cv-why": model.cv_rmse === null ? T.cvNone : T.cv,
    sd: points(model.residual_sd),
    "sd-why": model.residual_sd === null ? T.sdNone : T.sd,
    epochs: whole(model.epochs),
    lr: (model.raw ? T.rawHours : T.standardUnits)(digits(model.lr, 6)),
    sources: [
      ...model.sources.slice(0, 3).map(source),
      ...(others > 0 ? [T.moreSources(whole(others))] : []),
    ].join(", "),
    when: timeText(new Date(model.created), { dateStyle: "medium", timeStyle: "short" }),
    tag: model.tag,
  });
  $("findings").replaceChildren(...wording.findings(model).map(findingOf));
}

function findingOf({ good, text, language }) {
  const item = document.createElement("li");
  item.className = good ? "good" : "bad";
  const mark = document.createElement("span");
  mark.role = "img";
  mark.ariaLabel = good ? T.holds : T.doubtful;
  mark.textContent = good ? "✓" : "!";
  const sentence = document.createElement("span");
  sentence.textContent = text;
  if (language) sentence.lang = language;
  item.append(mark, " ", sentence);
  return item;
}

export function drawDescent({ costs, model }) {
  const [first, last] = [costs[0][1], costs.at(-1)[1]].map((cost) =>
    cost < roundingOf(costs) ? "0" : costText(cost),
  );
  fill({ descent: T.descent(first, last) });
  drawCosts($("costs"), [costs], T.costsLabel(first, last, whole(model.epochs)));
}

// The numbers of the chart, for those who do not see it.
export function drawFitTable({ model, curve, domain }) {
  const line = curveAt(curve, ticks(...domain, 10));
  const keys = ["score", "low", "high", "line_low", "line_high"];
  const width = (i) => (isWide(line.low[i], line.high[i]) ? line.high[i] - line.low[i] : 0);
  const text = (value, i) => (value === null ? "–" : measured(value, width(i)));
  const rows = line.hours.map((hours, i) => [
    hoursText(hours),
    ...keys.map((key) => text(line[key][i], i)),
    hours < model.hours_min || hours > model.hours_max ? T.outside : "",
  ]);
  const head = [T.hours, T.score, T.low, T.high, T.lineLow, T.lineHigh, ""];
  $("fit-table").replaceChildren(tableOf(head, rows));
}
