// What can be said of the model and its answers, and in how many digits.

import { T } from "./language.js";
import {
  decimalsOf,
  digits,
  fixed,
  hoursText,
  isWide,
  measured,
  number,
  whole,
} from "./numbers.js";

const minus = (text) => text.replace("-", "−");
const percent = (share) =>
  number(share, { maximumFractionDigits: share < 10 || share > 99 ? 1 : 0 });

// Both ends, in as many digits as their distance allows.
const ends = (low, high) => [low, high].map((end) => minus(measured(end, high - low)));

// As much as the confidence interval of the slope allows.
export function headline({ W, W_low, W_high }) {
  const say = T.headline;
  if (W_low === null) return say.unknown();
  if (!isWide(W_low, W_high))
    return W ? (W > 0 ? say.rises : say.falls)(digits(Math.abs(W), 4)) : say.none();
  if (W_low > 0) return say.risesBy(...ends(W_low, W_high));
  return W_high < 0 ? say.fallsBy(...ends(-W_high, -W_low)) : say.unclear(...ends(W_low, W_high));
}

export function equation({ W, b }) {
  const sign = b < 0 ? "−" : "+";
  return `${T.score} = ${minus(digits(W, 4))} × ${T.hours} ${sign} ${digits(Math.abs(b), 4)}`;
}

// W or b: its text, and what it is and how sure.
export function parameter(what, value, low, high) {
  if (!isWide(low, high)) return [minus(digits(value, 4)), what];
  return [minus(measured(value, high - low)), T.certainty(what, ...ends(low, high))];
}

// R², and what it means; few rows lie near a line by chance.
export function explained({ rows, r2 }) {
  if (rows < 3) return ["–", T.r2Two];
  if (r2 === null) return ["–", T.r2None];
  const all = r2 > 0.999 && r2 < 1 - 1e-12; // which must not be rounded to 100
  const text = all ? `> ${number(0.999)}` : digits(r2, r2 > 0.99 ? 4 : 2);
  if (r2 < 0) return [minus(text), T.r2Worse];
  const says = T.r2(all ? T.nearlyAll : T.percent(percent(r2 * 100)));
  return [text, rows < FEW ? `${says} ${T.few(whole(rows))}` : says];
}

// The score for some hours, and its interval.
export function predicted(model, { hours, score, low, high, extrapolated }) {
  const width = isWide(low, high) ? high - low : 0;
  const text = (value) => minus(measured(value, width));
  const { score_min: least, score_max: most } = model;
  const line = model.W * hours + model.b;
  const isCut = least !== null && Math.abs(line - score) > 1e-9 * Math.abs(line);
  const uncut = width ? text(line) : minus(digits(line, 4));
  const cut = isCut ? [T.cutScore(uncut, minus(digits(score, 6)))] : [];
  if (low === null) return [text(score), [T.noInterval, ...cut].join(" ")];
  if (width) {
    const limits = [low === least ? least : [], high === most ? most : []].flat();
    if (limits.length) cut.push(T.cutRange(limits.map((limit) => minus(digits(limit, 6)))));
    const interval = extrapolated ? T.intervalOut : T.interval;
    return [text(score), [interval(...ends(low, high)), ...cut].join(" ")];
  }
  if (model.residual_sd && (low === least || low === most))
    return [text(score), [T.atLimit(minus(digits(low, 6))), ...cut].join(" ")];
  const few = model.rows < FEW ? [T.few(whole(model.rows))] : [];
  return [text(score), [T.noWidth, ...few, ...cut].join(" ")];
}

// The hours for a score and their interval; the text of the hours is null where there are none, or
// where they may not matter.
export function takes(model, wanted, { hours, low, high }) {
  const { score_min: least, score_max: most, W, b } = model;
  const none = T.takesNone;
  if (!W) return [null, none.level()];
  if (least !== null && (wanted < least || wanted > most))
    return [null, none.limits(...[least, most].map((limit) => minus(digits(limit, 6))))];
  if (model.W_low <= 0 && model.W_high >= 0 && model.W_low !== null) return [null, none.unclear()];
  const width = low === null ? 0 : (high ?? 2 * hours - low) - low;
  const [text, from, to] = [hours, low, high].map((each) =>
    each === null ? "" : low === null ? digits(each, 3) : minus(measured(each, width)),
  );
  const certainty =
    low === null
      ? T.takes.unsure
      : high === null
        ? T.takes.from(from)
        : isWide(low, high)
          ? T.takes.between(from, to)
          : "";
  if (hours !== null) return [text, certainty];
  const isPast = W > 0 ? wanted < b : wanted > b; // at 0 hours
  const reached = isPast
    ? (W > 0 ? none.above : none.below)(minus(digits(b, 3)))
    : none.beyond(whole(model.limits.hours_max));
  return [null, low === null ? reached : `${reached} ${certainty}`];
}

const FEW = 10; // rows below which a line that fits well proves little
const GOOD = new Set(
  "rises falls exact straight nearly_straight even nearly_even normal nearly_normal quantiles".split(
    " ",
  ),
);
const WRONG_LINE = new Set(["curved", "decisive", "alone"]); // so its slope says little

// The numbers of a finding, with as many digits as belong together.
function numbersOf({ numbers }, { residual_sd }) {
  const { few, many } = numbers;
  const decimals = few && many ? decimalsOf(Math.min(few, many)) : 0;
  const text = (name, value) => {
    if (name === "few" || name === "many") return fixed(value, decimals);
    return minus(digits(value, { row_hours: 6, row_score: 6, W: 3, slope_without: 3 }[name] ?? 2));
  };
  const named = Object.entries({ residual_sd, ...numbers });
  return Object.fromEntries(named.map(([name, value]) => [name, text(name, value)]));
}

// What the rows say of the line: { about, verdict, good, text, language }.
export function findings(model) {
  const [low, high] = [model.hours_min, model.hours_max].map(hoursText);
  const { W_low, W_high, rows, r2 } = model;
  const span = W_low === null ? [] : W_high < 0 ? ends(-W_high, -W_low) : ends(W_low, W_high);
  const isWrongLine = model.findings.some(({ verdict }) => WRONG_LINE.has(verdict));
  return model.findings.map((finding) => {
    const { about, verdict, sentence } = finding;
    const say = T.findings?.[verdict];
    const text = say?.({
      ...numbersOf(finding, model),
      span: span.join("~"),
      low,
      high,
      rows: whole(rows),
      r2: T.percent(percent(r2 * 100)),
    });
    return {
      about,
      verdict,
      good: GOOD.has(verdict) && !(about === "slope" && isWrongLine),
      text: (text ?? sentence).replaceAll(" %", "\u00a0%"),
      language: T.findings && !say ? "en" : null,
    };
  });
}

// What stands beside an answer: what doubts its line most, or else what doubts its range. Quantiles
// heed errors that are not normal.
export function doubts(model) {
  const all = findings(model).filter(({ good }) => !good);
  const about = (...names) => all.filter((finding) => names.includes(finding.about));
  const areHeeded = model.findings.some(({ verdict }) => verdict === "quantiles");
  const ofLine = [
    ...all.filter(({ verdict }) => verdict === "zero"),
    ...about("influence", "straightness").sort((one) => (one.about === "influence" ? -1 : 1)),
  ];
  if (ofLine.length) return ofLine.slice(0, 1);
  return about("interval", ...(areHeeded ? [] : ["normality"]));
}
