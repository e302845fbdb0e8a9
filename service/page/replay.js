// Replay the learning: the line at each epoch whose cost is known, beside the cost curve.

import { drawCosts } from "./descent.js";
import { $ } from "./dom.js";
import { T } from "./language.js";
import { labRun } from "./learning.js";
import { costText, digits, whole } from "./numbers.js";
import { alignWith, svg } from "./svg.js";
import { equation } from "./wording.js";

const LAB_LR = 0.01;
const FRAMES = 200;
const FRAME = 30; // milliseconds
let tracks = null; // of this model, and the lab's run on the same rows: epoch, cost, W and b
let timer = null;
let shown = null;

export const replay = {
  open({ model, cost, costs }) {
    const epochs = costs.map(([epoch]) => epoch);
    tracks = model.raw ? [costs] : [costs, labRun(cost, LAB_LR, epochs)];
    $("track").value = "0";
    $("epoch").value = 0;
  },
  close: stop,
  draw(chart) {
    shown = chart;
    const names = [
      (shown.model.raw ? T.rawHours : T.standardUnits)(digits(shown.model.lr, 6)),
      T.labTrack(digits(LAB_LR, 6)),
    ];
    [...$("track").options].forEach((option, i) => (option.textContent = names[i]));
    $("track-choice").hidden = tracks.length < 2;
    $("play").textContent = timer ? T.pause : T.play;
    drawEpoch();
  },
};

const trackNow = () => tracks[$("track").value];
// Where an epoch stands on the slider: below its place on the curve.
const placeOf = (epoch) => Math.log10(epoch + 1) / Math.log10(Math.max(1, tracks[0].at(-1)[0]) + 1);
// The last step whose epoch the slider has reached.
const stepNow = () =>
  trackNow().findLastIndex(([epoch]) => placeOf(epoch) <= $("epoch").valueAsNumber + 1e-9);

function drawEpoch() {
  const { place } = shown;
  const track = trackNow();
  const [epoch, cost, W, b] = track[stepNow()];
  const [low, high] = place.domain;
  const y = (hours) => place.y(W * hours + b);
  $("lesson").replaceChildren(
    svg("line", { x1: place.x(low), y1: y(low), x2: place.x(high), y2: y(high), class: "ghost" }),
  );
  const isDiverging = cost > 2 * track[0][1];
  const says = T.replay(whole(epoch), equation({ W, b }), costText(cost));
  $("replay-says").textContent = isDiverging ? `${says} ${T.diverges}` : says;
  $("epoch").setAttribute("aria-valuetext", says);
  const others = tracks.filter((each) => each !== track);
  const edge = drawCosts($("replay-costs"), [track, ...others], says, [epoch, cost]);
  alignWith($("epoch"), edge);
}

function stop() {
  clearInterval(timer);
  timer = null;
  $("play").textContent = T.play;
}

function advance() {
  $("epoch").value = $("epoch").valueAsNumber + 1 / FRAMES;
  drawEpoch();
  if ($("epoch").valueAsNumber === 1) stop();
}

$("epoch").oninput = drawEpoch;
$("epoch").onkeydown = (event) => {
  const by = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
  const next = by && trackNow()[stepNow() + by];
  if (by) event.preventDefault();
  if (!next) return;
  $("epoch").value = placeOf(next[0]);
  drawEpoch();
};
$("track").onchange = drawEpoch;
$("play").onclick = () => {
  if (timer) return stop();
  if ($("epoch").valueAsNumber === 1) $("epoch").value = 0;
  timer = setInterval(advance, FRAME);
  $("play").textContent = T.pause;
};
