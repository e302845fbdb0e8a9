// The page: shows what the service answers, and follows the model it serves.

import { drawTableWith, predictAgain } from "./batch.js";
import { drawCosts, roundingOf } from "./descent.js";
import { $, fill, problem } from "./dom.js";
import { drawFit, drawMarker, hoursToDraw } from "./fit.js";
import { T, language, speakTheOther, write } from "./language.js";
import { costText, decimalsOf, digits, hoursText, number, scoreText, whole } from "./numbers.js";
import { ask, refused } from "./service.js";
import { niceStep } from "./svg.js";

let shown = null; // what is drawn: model, costs, points, curve, domain, decimals
let place = null; // where a number falls in the chart
let answer = null; // the last one: hours, score, low, high, extrapolated
let wanted = null; // the hours to ask for; null where there are none
let asking = false;
let typed = false; // whether those hours come from the field
let swappedAt = null;

// The model

async function load() {
  const model = await ask("model");
  if (model.tag === shown?.model.tag) return;
  const training = await ask("training");
  if (training.by !== model.tag) return; // swapped meanwhile: look again
  if (shown) swappedAt = new Date();
  const decimals = decimalsOf(model, training.curve);
  shown = { model, ...training, decimals, domain: hoursToDraw(model, model.hours_max) };
  answer = null;
  draw();
  $("fit").classList.add("fresh");
  predictAgain();
  if (typed || $("hours").value) readHours();
  else predict(startingHours(model));
}

// A place among the rows, so that the page opens with an answer that is no guess.
function startingHours(model) {
  const step = niceStep((model.hours_max - model.hours_min) / 10);
  const middle = model.hours_min + (model.hours_max - model.hours_min) * 0.6;
  return +(Math.round(middle / step) * step).toPrecision(12);
}

// One request at a time; of the hours that come meanwhile, the last is asked for next.
async function predict(hours) {
  wanted = { hours };
  if (asking) return;
  asking = true;
  try {
    for (let asked = null; wanted && asked !== wanted;) {
      asked = wanted;
      const found = await ask("predict", asked).catch(refused);
      if (found.refusal && wanted === asked) noAnswer(found.refusal);
      else if (!found.refusal && wanted) show({ ...asked, ...found });
    }
  } finally {
    asking = false;
  }
}

function show(found) {
  answer = found;
  problem("hours", "");
  if (typed) stretch(answer.hours);
  drawAnswer();
}

// Draws as many hours as those typed call for; under the slider the chart stands still.
function stretch(hours) {
  const domain = hoursToDraw(shown.model, hours);
  if (String(domain) === String(shown.domain)) return;
  shown.domain = domain;
  drawFitNow();
}

function noAnswer(sentence) {
  problem("hours", sentence);
  answer = wanted = null;
  $("answer").hidden = true;
  $("fit").querySelector("#marker")?.replaceChildren();
}

// Drawing

function drawAnswer() {
  if (!answer || !place) return;
  const { hours, low, high, extrapolated } = answer;
  $("answer").hidden = false;
  const found = scoreText(answer.score, shown.decimals);
  $("score").textContent = found;
  $("score").style.fontSize = `${Math.min(1, 6.5 / found.length)}em`;
  $("interval").textContent =
    low === null
      ? T.noInterval
      : low === high
        ? T.noWidth
        : T.interval(...[low, high].map((end) => scoreText(end, shown.decimals)));
  $("extrapolated").hidden = !extrapolated;
  $("extrapolated").textContent = T.extrapolated(
    hoursText(shown.model.hours_min),
    hoursText(shown.model.hours_max),
  );
  if (!typed && document.activeElement !== $("hours")) $("hours").value = hours; // not under typing
  $("slider").value = hours;
  $("slider").setAttribute("aria-valuetext", `${hoursText(hours)} ${T.hours}`);
  drawMarker($("fit"), place, hours, answer);
}

function drawFitNow() {
  const { model, points, domain } = shown;
  place = drawFit($("fit"), shown);
  const range = [model.hours_min, model.hours_max].map(hoursText);
  $("fit").setAttribute("aria-label", T.fitLabel(equation(model), ...range, whole(points.length)));
  const slider = $("slider");
  [slider.min, slider.max] = domain;
  slider.step = niceStep((domain[1] - domain[0]) / 200);
  slider.style.marginLeft = `${place.edge.left - 11}px`; // the thumb's middle on the axis
  slider.style.width = `${place.edge.right - place.edge.left + 22}px`;
}

function equation({ W, b }) {
  const sign = b < 0 ? "−" : "+";
  return `${T.score} = ${digits(W, 4).replace("-", "−")} × ${T.hours} ${sign} ${digits(Math.abs(b), 4)}`;
}

function draw() {
  write();
  if (!shown) return;
  $("main").setAttribute("aria-busy", "false");

  const { model, costs } = shown;
  const known = (value, text, none) => (value === null ? none : text);
  const points = (value) => known(value, T.manyPoints(digits(value, 3)), "–");
  const range = [hoursText(model.hours_min), hoursText(model.hours_max)];
  const [first, last] = [costs[0][1], costs.at(-1)[1]].map((cost) =>
    cost < roundingOf(costs) ? "0" : costText(cost),
  );
  fill({
    headline: T.headline(digits(Math.abs(model.W), 3), Math.sign(model.W)),
    lead: T.lead(whole(model.rows), ...range),
    equation: equation(model),
    W: digits(model.W, 4),
    b: digits(model.b, 4),
    rows: whole(model.rows),
    r2: known(model.r2, digits(model.r2, 4), "–"),
    "r2-why":
      model.r2 === null
        ? T.r2None
        : model.r2 < 0
          ? T.r2Worse
          : T.r2(
              number(model.r2, {
                style: "percent",
                maximumFractionDigits: model.r2 > 0.99 ? 2 : 0,
              }),
            ),
    cv: points(model.cv_rmse),
    "cv-why": known(model.cv_rmse, T.cv, T.cvNone),
    sd: points(model.residual_sd),
    "sd-why": known(model.residual_sd, T.sd, T.sdNone),
    descent: T.descent(first, last),
    epochs: whole(model.epochs),
    lr: (model.raw ? T.rawHours : T.standardUnits)(digits(model.lr, 6)),
    sources: [
      ...model.sources
        .slice(0, 3)
        .map(({ name, rows }) => T.source(name.split(/[\\/]/).at(-1), whole(rows))),
      ...(model.sources.length > 3 ? [T.moreSources(whole(model.sources.length - 3))] : []),
    ].join(", "),
    when: new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(
      new Date(model.created),
    ),
    tag: model.tag,
    news: swappedAt
      ? T.swapped(new Intl.DateTimeFormat(language, { timeStyle: "medium" }).format(swappedAt))
      : "",
  });
  $("key-band").hidden = shown.curve.low[0] === null;
  $("key-point").hidden = shown.points.length === 0;
  drawFitNow();
  drawCosts($("costs"), costs);
  $("costs").setAttribute("aria-label", T.costsLabel(first, last, whole(model.epochs)));
  drawAnswer();
  drawTableWith(shown.decimals);
}

// What people do

function readHours() {
  typed = true;
  const hours = $("hours").valueAsNumber;
  if (Number.isNaN(hours)) noAnswer(T.notHours);
  else predict(hours);
}
function readSlider() {
  typed = false;
  predict($("slider").valueAsNumber);
}
function readChart(event) {
  if (!place) return;
  $("slider").value = place.hours(event.clientX - $("fit").getBoundingClientRect().left);
  readSlider();
}
$("ask").onsubmit = (event) => event.preventDefault();
$("hours").oninput = readHours;
$("slider").oninput = readSlider;
$("fit").onpointerdown = (event) => {
  $("fit").setPointerCapture(event.pointerId);
  readChart(event);
};
$("fit").onpointermove = (event) => {
  if ($("fit").hasPointerCapture(event.pointerId)) readChart(event);
};
$("fit").onanimationend = () => $("fit").classList.remove("fresh");
$("language").onclick = () => {
  speakTheOther();
  problem("column", "");
  draw();
  if (shown && !answer) readHours();
};

// Looks for a retrained model every two seconds while somebody looks at the page.
async function follow() {
  if (!document.hidden) {
    const { refusal } = (await load().catch(refused)) ?? {};
    $("trouble").textContent = refusal ?? "";
    $("trouble").hidden = !refusal;
  }
  setTimeout(follow, 2000);
}

const resized = new ResizeObserver(() => {
  if (!shown) return;
  drawFitNow();
  drawCosts($("costs"), shown.costs);
  drawAnswer();
});
resized.observe($("fit"));
resized.observe($("costs"));
draw();
follow();
