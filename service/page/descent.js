// The descent: cost by epoch.

import { T } from "./language.js";
import { between, costText, tickText } from "./numbers.js";
import { begin, path, svg, textScale, ticks } from "./svg.js";

export const roundingOf = (costs) => costs[0][1] * 1e-12; // below, a cost is nothing but rounding

// Cost by epoch of one or more runs, both on log axes, because the first steps are the steep ones;
// and a point [epoch, cost] in the first, if one is to be shown. Returns the edges of the plot.
export function drawCosts(chart, [costs, ...others], description, here) {
  const [width, height] = begin(chart, T.costsTitle, description);
  const all = [costs, ...others].flat().map(([, cost]) => cost);
  const least = Math.min(...all);
  const floor = Math.max(roundingOf(costs), least, Number.MIN_VALUE);
  const most = Math.max(...all, floor);
  let [bottom, top] = [Math.log10(floor), Math.log10(most)];
  const air = Math.max(0.08 * (top - bottom), 0.02);
  [bottom, top] = [bottom - air, top + air];
  const last = Math.max(...[costs, ...others].map((each) => each.at(-1)[0]), 1);
  const em = textScale();
  const edge = { left: 56 * em, right: width - 18, top: 24 * em, bottom: height - 26 * em };
  const x = (epoch) =>
    edge.left + (Math.log10(epoch + 1) / Math.log10(last + 1)) * (edge.right - edge.left);
  const y = (cost) =>
    edge.bottom -
    ((Math.log10(Math.max(cost, floor)) - bottom) / (top - bottom)) * (edge.bottom - edge.top);

  const marks = logTicks(bottom, top, (edge.bottom - edge.top) / (20 * em)).map((cost) => [
    cost,
    costText(cost),
  ]);
  if (least < floor) marks[0] = [floor, "≈ 0"];
  for (const [cost, label] of marks) {
    chart.append(
      svg("line", { x1: edge.left, x2: edge.right, y1: y(cost), y2: y(cost), class: "grid" }),
    );
    chart.append(svg("text", { x: edge.left - 8, y: y(cost) + 4, "text-anchor": "end" }, label));
  }
  const epochs = [0, ...Array.from({ length: 10 }, (_, i) => 10 ** i)];
  for (const epoch of epochs.filter((each) => each <= last))
    chart.append(
      svg(
        "text",
        { x: x(epoch), y: edge.bottom + 18 * em, "text-anchor": "middle" },
        tickText(epoch),
      ),
    );
  chart.append(svg("text", { x: edge.left - 8, y: 10 * em, "text-anchor": "end" }, T.cost));
  chart.append(svg("text", { x: 0, y: edge.bottom + 18 * em }, T.epoch));
  const at = ([epoch, cost]) => [x(epoch), y(cost)];
  for (const other of others) chart.append(svg("path", { d: path(other.map(at)), class: "other" }));
  chart.append(svg("path", { d: path(costs.map(at)), class: "fit" }));
  for (const [cx, cy] of [at(costs[0]), at(costs.at(-1))])
    chart.append(svg("circle", { cx, cy, r: 4.5, class: "row" }));
  if (here) chart.append(svg("circle", { cx: at(here)[0], cy: at(here)[1], r: 6, class: "here" }));
  return edge;
}

// Powers of ten where there are enough of them, else also other times those, at most so many.
function logTicks(bottom, top, most) {
  const lowest = Math.floor(bottom);
  const all = Array.from({ length: Math.ceil(top) - lowest + 1 }, (_, i) => lowest + i);
  const powers = all.filter((power) => power >= bottom && power <= top);
  const every = Math.ceil(powers.length / between(most, 1, 4));
  if (powers.length > 2) return powers.filter((p) => p % every === 0).map((p) => 10 ** p);
  const fine = [[1, 2, 5], [1, 3], [1]].map((times) =>
    all
      .flatMap((power) => times.map((each) => each * 10 ** power))
      .filter((cost) => Math.log10(cost) >= bottom && Math.log10(cost) <= top),
  );
  const few = fine.find((marks) => marks.length <= most) ?? fine.at(-1);
  return few.length > 1 ? few : ticks(10 ** bottom, 10 ** top, 2);
}
