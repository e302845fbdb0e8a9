// The descent: cost by epoch.

import { T } from "./language.js";
import { costText, tickText } from "./numbers.js";
import { begin, path, svg, ticks } from "./svg.js";

export const roundingOf = (costs) => costs[0][1] * 1e-12; // below, a cost is nothing but rounding

// Cost by epoch, both on log axes, for the first steps are the steep ones.
export function drawCosts(chart, costs, description) {
  const [width, height] = begin(chart, T.costsTitle, description);
  const least = Math.min(...costs.map(([, cost]) => cost));
  const floor = Math.max(roundingOf(costs), least, Number.MIN_VALUE);
  const most = Math.max(...costs.map(([, cost]) => cost), floor);
  let [bottom, top] = [Math.log10(floor), Math.log10(most)];
  const air = Math.max(0.08 * (top - bottom), 0.02);
  [bottom, top] = [bottom - air, top + air];
  const last = costs.at(-1)[0];
  const edge = { left: 56, right: width - 18, top: 24, bottom: height - 26 };
  const x = (epoch) =>
    edge.left + (Math.log10(epoch + 1) / Math.log10(last + 1)) * (edge.right - edge.left);
  const y = (cost) =>
    edge.bottom -
    ((Math.log10(Math.max(cost, floor)) - bottom) / (top - bottom)) * (edge.bottom - edge.top);

  const marks = logTicks(bottom, top).map((cost) => [cost, costText(cost)]);
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
      svg("text", { x: x(epoch), y: edge.bottom + 18, "text-anchor": "middle" }, tickText(epoch)),
    );
  chart.append(svg("text", { x: edge.left - 8, y: 10, "text-anchor": "end" }, T.cost));
  chart.append(svg("text", { x: 0, y: edge.bottom + 18 }, T.epoch));
  const line = costs.map(([epoch, cost]) => [x(epoch), y(cost)]);
  chart.append(svg("path", { d: path(line), class: "fit" }));
  for (const [cx, cy] of [line[0], line.at(-1)])
    chart.append(svg("circle", { cx, cy, r: 4.5, class: "row" }));
}

// Powers of ten where there are enough of them, else 1, 2 and 5 times those.
function logTicks(bottom, top) {
  const lowest = Math.floor(bottom);
  const all = Array.from({ length: Math.ceil(top) - lowest + 1 }, (_, i) => lowest + i);
  const powers = all.filter((power) => power >= bottom && power <= top);
  const every = Math.ceil(powers.length / 4);
  if (powers.length > 2) return powers.filter((p) => p % every === 0).map((p) => 10 ** p);
  const fine = all
    .flatMap((power) => [1, 2, 5].map((times) => times * 10 ** power))
    .filter((cost) => Math.log10(cost) >= bottom && Math.log10(cost) <= top);
  return fine.length > 1 ? fine : ticks(10 ** bottom, 10 ** top, 3);
}
