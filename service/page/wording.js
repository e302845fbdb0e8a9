// What can be said of the model and its answers, and in how many digits.

import { T } from "./language.js";
import { digits, hoursText, isWide, measured, number, whole } from "./numbers.js";

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

// R², and what it means; two rows explain nothing.
export function explained({ rows, r2 }) {
  if (rows < 3) return ["–", T.r2Two];
  if (r2 === null) return ["–", T.r2None];
  const all = r2 > 0.999 && r2 < 1 - 1e-12; // which must not be rounded to 100
  const text = all ? `> ${number(0.999)}` : digits(r2, r2 > 0.99 ? 4 : 2);
  if (r2 < 0) return [minus(text), T.r2Worse];
  return [text, T.r2(all ? T.nearlyAll : `${percent(r2 * 100)}\u00a0%`)];
}

// The score for some hours, and its interval.
export function predicted(model, { score, low, high }) {
  const width = isWide(low, high) ? high - low : 0;
  const text = minus(measured(score, width));
  if (low === null) return [text, T.noInterval];
  if (width) return [text, T.interval(...ends(low, high))];
  const limit = [model.score_min, model.score_max].find((each) => each === low);
  return [text, limit !== undefined && model.residual_sd ? T.atLimit(digits(limit, 6)) : T.noWidth];
}

// The hours for a score and their interval; the text of the hours is null where there are none.
export function takes(model, wanted, { hours, low, high }) {
  const { score_min: least, score_max: most } = model;
  const none = T.takesNone;
  if (!model.W) return [null, none.level()];
  if (least !== null && (wanted < least || wanted > most))
    return [null, none.limits(...[least, most].map((limit) => minus(digits(limit, 6))))];
  const says = certainty(low, high);
  if (hours === null)
    return [null, `${none.beyond(whole(model.limits.hours_max))} ${low === null ? "" : says}`];
  return [
    low === null ? digits(hours, 3) : measured(hours, isWide(low, high) ? high - low : 0),
    says,
  ];
}

function certainty(low, high) {
  if (low === null) return T.takes.unsure;
  if (high === null) return T.takes.from(digits(low, 2));
  return isWide(low, high) ? T.takes.between(...ends(low, high)) : "";
}

const GOOD = new Set(
  "rises falls exact straight nearly_straight even nearly_even normal nearly_normal quantiles".split(
    " ",
  ),
);

// What the rows say of the line: { good, text, language }.
export function findings(model) {
  const [low, high] = [model.hours_min, model.hours_max].map(hoursText);
  const { W_low, W_high, rows, r2 } = model;
  const span = W_low === null ? [] : W_high < 0 ? ends(-W_high, -W_low) : ends(W_low, W_high);
  return model.findings.map(({ verdict, sentence, numbers }) => {
    const short = Object.fromEntries(
      Object.entries({ residual_sd: model.residual_sd, ...numbers }).map(([key, value]) => [
        key,
        digits(value, 2),
      ]),
    );
    const say = T.findings?.[verdict];
    const text = say?.({
      ...short,
      span: span.join("~"),
      low,
      high,
      rows: whole(rows),
      r2: `${percent(r2 * 100)} %`,
    });
    return {
      good: GOOD.has(verdict),
      text: (text ?? sentence).replaceAll(" %", "\u00a0%"),
      language: say ? null : "en",
    };
  });
}
