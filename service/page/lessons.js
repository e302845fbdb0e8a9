// What there is to learn at the chart: one lesson at a time, each behind a button.

import { attempt } from "./attempt.js";
import { $ } from "./dom.js";
import { drawWithChart } from "./page.js";
import { replay } from "./replay.js";

const LESSONS = { attempt, replay };
let open = null; // the name of the lesson
let shown = null; // { model, cost, costs, points, place }, as the chart shows it

// Draws the open lesson into the chart that has just been drawn; of another model there is another
// lesson.
function drawLesson(chart) {
  if (shown && shown.model.tag !== chart.model.tag) closeLesson();
  shown = chart;
  for (const name of Object.keys(LESSONS)) {
    $(name).hidden = name !== open;
    $(`open-${name}`).ariaExpanded = String(name === open);
    $(`open-${name}`).disabled = false;
  }
  $("ask").dataset.lesson = open ?? "";
  if (open) LESSONS[open].draw(shown);
}

function closeLesson() {
  if (open) LESSONS[open].close();
  open = null;
}

for (const [name, lesson] of Object.entries(LESSONS))
  $(`open-${name}`).onclick = () => {
    const isNew = name !== open;
    closeLesson();
    if (isNew) lesson.open(shown);
    open = isNew ? name : null;
    $("lesson").replaceChildren();
    drawLesson(shown);
    if (open) for (const id of [open, "fit"]) $(id).scrollIntoView({ block: "nearest" });
  };
drawWithChart(drawLesson);
