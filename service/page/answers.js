// The answers to both questions: the score for some hours, and the hours for a score.

import { $, fill } from "./dom.js";
import { drawAim, drawMarker } from "./fit.js";
import { T, language } from "./language.js";
import { hoursText } from "./numbers.js";
import * as wording from "./wording.js";

const extrapolated = ({ hours_min, hours_max }) =>
  T.extrapolated(hoursText(hours_min), hoursText(hours_max));

// answer: hours, score, low, high, extrapolated.
export function drawAnswer(model, place, answer, isTyped) {
  const { hours } = answer;
  const [score, interval] = wording.predicted(model, answer);
  const doubts = wording.doubts(model);
  const caveat = T.caveat(doubts.map(({ text }) => text).join(" "));
  fill({ score, interval, extrapolated: extrapolated(model), caveat });
  $("score").style.fontSize = `${Math.min(1, 6.5 / score.length)}em`;
  $("extrapolated").hidden = !answer.extrapolated;
  $("caveat").hidden = !doubts.length;
  $("caveat").lang = doubts.find((doubt) => doubt.language)?.language ?? language;
  $("curl").disabled = false;
  drawMarker($("marker"), place, answer);
  if (!isTyped && $("answer").ariaBusy === "true") return; // the slider has moved on meanwhile
  if (!isTyped && document.activeElement !== $("hours")) $("hours").value = hours; // not under typing
  $("slider").value = hours;
  $("slider").setAttribute("aria-valuetext", `${hoursText(hours)} ${T.hours}`);
}

// aim: score, hours, low, high, extrapolated; null where nothing is asked.
export function drawTakes(model, place, aim) {
  document.querySelector(".key-goal").hidden = !aim;
  if (!aim || !place) return $("fit").querySelector("#aim")?.replaceChildren();
  const [hours, interval] = wording.takes(model, aim.score, aim);
  fill({
    "takes-hours": hours ?? "",
    "takes-interval": interval,
    "takes-extrapolated": extrapolated(model),
  });
  $("takes-extrapolated").hidden = !hours || !aim.extrapolated;
  drawAim($("aim"), place, hours ? aim : { ...aim, hours: null, low: null });
}
