// Fit it yourself: a second line, which two handles drag, and its cost beside that of SGD's.

import { $ } from "./dom.js";
import { T } from "./language.js";
import { costOf } from "./learning.js";
import { between, costText, digits, hoursText } from "./numbers.js";
import { niceStep, svg } from "./svg.js";
import { equation } from "./wording.js";

const HANDLES = [$("handle-low"), $("handle-high")];
let ends = null; // the line's scores at the fewest and the most hours trained on
let shown = null;

export const attempt = {
  // SGD in standard units begins with the same line: the mean score for all hours.
  open({ cost }) {
    ends = [cost.score_mean, cost.score_mean];
    reveal(false);
  },
  close() {
    for (const handle of HANDLES) handle.hidden = true;
    reveal(true);
  },
  draw(chart) {
    shown = chart;
    drawLine();
  },
};

function reveal(isRevealed) {
  $("ask").classList.toggle("guessing", !isRevealed);
  $("reveal").ariaPressed = String(isRevealed);
}

const lineOf = ([first, last], { hours_min, hours_max }) => {
  const W = (last - first) / (hours_max - hours_min);
  return { W, b: first - W * hours_min };
};

function drawLine() {
  const { model, cost, points, place } = shown;
  const line = lineOf(ends, model);
  const y = (hours) => place.y(line.W * hours + line.b);
  const [low, high] = place.domain;
  $("lesson").replaceChildren(
    ...points.map(([hours, score]) => {
      const [x, top, bottom] = [
        place.x(hours),
        ...[place.y(score), y(hours)].sort((a, b) => a - b),
      ];
      const side = bottom - top;
      const isRoom = x + side < place.edge.right;
      return svg("rect", {
        x: isRoom ? x : x - side,
        y: top,
        width: side,
        height: side,
        class: "square",
      });
    }),
    svg("line", { x1: place.x(low), y1: y(low), x2: place.x(high), y2: y(high), class: "ghost" }),
  );
  const own = costOf(cost, line.W, line.b);
  const best = costOf(cost, model.W, model.b);
  const isAsGood = own - best <= 0.01 * best + 1e-9 * costOf(cost, 0, 0);
  const says = T.attempt(equation(line), costText(own), costText(best));
  $("attempt-says").textContent = isAsGood ? `${says} ${T.asGood}` : says;
  [model.hours_min, model.hours_max].forEach((hours, i) => drawHandle(i, hours, own));
}

function drawHandle(i, hours, cost) {
  const { place } = shown;
  const [bottom, top] = place.scores;
  const handle = HANDLES[i];
  handle.hidden = false;
  handle.style.left = `${place.x(hours)}px`;
  handle.style.top = `${place.y(ends[i])}px`;
  handle.ariaLabel = T.handle(hoursText(hours));
  handle.ariaValueMin = String(bottom);
  handle.ariaValueMax = String(top);
  handle.ariaValueNow = String(ends[i]);
  handle.ariaValueText = T.handleAt(digits(ends[i], 4), costText(cost));
}

function move(i, score) {
  ends[i] = between(score, ...shown.place.scores);
  drawLine();
}

HANDLES.forEach((handle, i) => {
  handle.onpointerdown = (event) => {
    handle.setPointerCapture(event.pointerId);
    event.preventDefault(); // no text is selected
    handle.focus();
  };
  handle.onpointermove = (event) => {
    if (!handle.hasPointerCapture(event.pointerId)) return;
    move(i, shown.place.score(event.clientY - $("fit").getBoundingClientRect().top));
  };
  handle.onkeydown = (event) => {
    const [bottom, top] = shown.place.scores;
    const step = niceStep((top - bottom) / 200);
    const steps = {
      ArrowUp: 1,
      ArrowRight: 1,
      ArrowDown: -1,
      ArrowLeft: -1,
      PageUp: 20,
      PageDown: -20,
    };
    const to = { Home: bottom, End: top }[event.key] ?? ends[i] + step * steps[event.key];
    if (Number.isNaN(to)) return;
    event.preventDefault();
    move(i, to);
  };
});
$("reveal").onclick = () => reveal($("reveal").ariaPressed !== "true");
