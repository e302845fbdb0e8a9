// The page: what people ask, what the service answers, and the model it follows.

import { curl, keepAddress, readAddress } from "./address.js";
import * as answers from "./answers.js";
import { drawCard, drawDescent, drawFitTable, timeText } from "./card.js";
import { $, fill } from "./dom.js";
import { copy } from "./files.js";
import { drawFit, hoursToDraw } from "./fit.js";
import { T, complain, speakTheOther, write } from "./language.js";
import { hoursText, whole } from "./numbers.js";
import { Refusal, readHours, readNumber } from "./numerals.js";
import { onPointing } from "./pointing.js";
import { Silence, ask, patience, question } from "./service.js";
import { alignWith, niceStep } from "./svg.js";
import * as wording from "./wording.js";

let shown = null; // what is drawn: model, cost, costs, points, pupils, curve, domain, goal
let place = null; // where a number falls in the chart
let answer = null; // the last one: hours, score, low, high, extrapolated
let aim = null; // the last one to the other question: score, hours, low, high, extrapolated
let typed = false; // whether the hours come from the field
let swappedAt = null;
const asked = {}; // by people: hours and score, where they can be read

export const isShown = (by) => shown !== null && (!by || by === shown.model.tag);
const predict = question("predict", isShown, {
  wait: () => markAwaited("answer"),
  answer(asked, found, isLast) {
    answer = { ...asked, ...found };
    $("answer").ariaBusy = String(!isLast);
    if (typed) stretch();
    drawAnswer();
  },
  refuse: (refusal) => noAnswer(refusal),
});
const hoursFor = question("hours_for", isShown, {
  wait: () => markAwaited("takes"),
  answer({ score }, found, isLast) {
    aim = { score, ...found };
    $("takes").ariaBusy = String(!isLast);
    stretch();
    drawTakes();
  },
  refuse: (refusal) => noHours(refusal),
});
// What comes after this, and is drawn with the page or with the chart.
const withPage = [];
const withChart = [];
export function drawWithPage(draw) {
  withPage.push(draw);
  draw();
}
export function drawWithChart(draw) {
  withChart.push(draw);
  if (place) draw({ ...shown, place });
}

export const limits = () => shown?.model.limits ?? {};
export function drawPoints(points) {
  if (!shown || (!points.length && !shown.pupils.length)) return;
  shown.pupils = points;
  stretch(true);
}

function markAwaited(id) {
  $(id).hidden = false;
  $(id).ariaBusy = "true";
}

// The model

async function load() {
  const wanted = shown ? ["model"] : ["model", "training"];
  const [model, first] = await Promise.all(wanted.map((address) => ask(address)));
  if (model.tag === shown?.model.tag) return;
  const training = first ?? (await ask("training"));
  if (training.by && training.by !== model.tag) return; // swapped meanwhile: look again
  if (shown) swappedAt = new Date();
  const pupils = shown?.pupils ?? [];
  shown = { model, ...training, pupils, domain: hoursToDraw(model, []), goal: null };
  answer = aim = null;
  draw();
  $("fit").classList.add("fresh");
  if ($("goal").value) readGoal();
  if (typed || $("hours").value) readField();
  else predict({ hours: startingHours(model) });
}

// Hours among those of the rows, so that the page opens with an answer that is not a guess.
function startingHours(model) {
  const step = niceStep((model.hours_max - model.hours_min) / 10);
  const middle = model.hours_min + (model.hours_max - model.hours_min) * 0.6;
  return +(Math.round(middle / step) * step).toPrecision(12);
}

// Draws as much as what was typed calls for; under the slider the chart stands still.
function stretch(isNew = false) {
  const goal = aim?.hours == null ? null : aim.score;
  const pupils = shown.pupils.map(([hours]) => hours);
  const domain = hoursToDraw(
    shown.model,
    [answer?.hours, aim?.hours, ...pupils].filter((each) => each != null),
  );
  if (!isNew && goal === shown.goal && String(domain) === String(shown.domain)) return;
  Object.assign(shown, { domain, goal });
  drawFitNow();
}

function noAnswer(refusal) {
  complain("hours", refusal);
  predict(null);
  answer = null;
  $("answer").hidden = true;
  $("curl").disabled = true;
  $("fit").querySelector("#marker")?.replaceChildren();
}

function noHours(refusal) {
  complain("goal", refusal);
  hoursFor(null);
  aim = null;
  $("takes").hidden = true;
  if (shown) stretch();
  drawTakes();
}

// Drawing

const drawAnswer = () => answer && place && answers.drawAnswer(shown.model, place, answer, typed);
const drawTakes = () => answers.drawTakes(shown?.model, place, aim);

function drawFitNow() {
  const { model, points, domain } = shown;
  const range = [model.hours_min, model.hours_max].map(hoursText);
  place = drawFit(
    $("fit"),
    shown,
    T.fitLabel(wording.equation(model), ...range, whole(points.length)),
  );
  const slider = $("slider");
  [slider.min, slider.max] = domain;
  slider.step = niceStep((domain[1] - domain[0]) / 200);
  alignWith(slider, place.edge);
  drawAnswer();
  drawTakes();
  for (const draw of withChart) draw({ ...shown, place });
  document.querySelector(".key-pupil").hidden = !shown.pupils.length;
  drawFitTable(shown);
}

function draw() {
  write();
  for (const draw of withPage) draw();
  $("trouble").textContent = T.silent;
  if (!shown) return;
  $("main").ariaBusy = "false";

  const { model } = shown;
  drawCard(model);
  const swapped = swappedAt && timeText(swappedAt, { timeStyle: "medium" });
  fill({ news: swapped ? T.swapped(swapped) : "" });
  for (const key of document.querySelectorAll(".key-band, .key-sure"))
    key.hidden = model.W_low === null;
  document.querySelector(".key-point").hidden = shown.points.length === 0;
  drawFitNow();
  drawDescent(shown);
}

// What people do

// What a field holds; nothing where that is refused.
function read(field, reader) {
  try {
    const value = reader($(field).value);
    complain(field);
    return value;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return void (field === "hours" ? noAnswer(error) : noHours(error));
  }
}
function readField() {
  typed = true;
  const hours = read("hours", (text) => readHours(text, shown?.model.limits.hours_max));
  asked.hours = hours;
  if (hours !== undefined && shown) predict({ hours });
}
function readSlider() {
  typed = false;
  complain("hours");
  asked.hours = $("slider").valueAsNumber;
  predict({ hours: asked.hours });
}
function readGoal() {
  asked.score = $("goal").value.trim() ? read("goal", readNumber) : noHours(null);
  if (asked.score !== undefined && shown) hoursFor({ score: asked.score });
}
function readChart(x) {
  if (!place || $("ask").dataset.lesson) return;
  $("slider").value = place.hours(x - $("fit").getBoundingClientRect().left);
  readSlider();
}

$("ask").onsubmit = (event) => event.preventDefault();
$("hours").oninput = readField;
$("slider").oninput = readSlider;
$("goal").oninput = readGoal;
const keep = () => keepAddress(asked);
$("hours").onchange = $("slider").onchange = $("goal").onchange = keep;
onPointing($("fit"), readChart, keep);
$("fit").onanimationend = () => $("fit").classList.remove("fresh");
$("curl").onclick = () => {
  copy(curl(answer.hours));
  $("curl-copied").textContent = T.copied;
};
$("language").onclick = () => {
  speakTheOther();
  draw();
};

// Looks for a retrained model every two seconds while somebody looks at the page.
async function follow() {
  for (;;) {
    try {
      if (!document.hidden) await load();
    } catch (error) {
      if (!(error instanceof Silence || error instanceof Refusal)) throw error;
    }
    await patience(2000);
  }
}

const resized = new ResizeObserver(() => {
  if (!shown) return;
  drawFitNow();
  drawDescent(shown);
});
resized.observe($("fit"));
resized.observe($("costs"));
readAddress();
draw();
follow();
