// The line, its band, the rows and the marker.

import { T } from "./language.js";
import { tickText } from "./numbers.js";
import { between, niceStep, path, svg, ticks } from "./svg.js";

// The pixels of a tick's label; Korean characters are the wide ones.
const widthOf = (label) => [...label].reduce((sum, sign) => sum + (sign > "ㄱ" ? 12 : 7.2), 0);

const HOURS_MAX = 8784; // the service takes no more

// The hours to draw: those trained on, about half as many on either side, and `hours` itself.
export function hoursToDraw(model, hours) {
  const span = model.hours_max - model.hours_min;
  const step = niceStep(span / 10);
  let low = Math.max(0, model.hours_min - span * 0.6);
  if (low < span / 2) low = 0;
  let high = model.hours_max + span * 0.55;
  if (hours < low) low = Math.max(0, hours - span / 4);
  if (hours > high) high = hours + (hours - low) * 0.06;
  return [
    +(Math.floor(low / step) * step).toPrecision(12),
    Math.min(HOURS_MAX, +(Math.ceil(high / step) * step).toPrecision(12)),
  ];
}

// A label in the middle of a zone, unless the zone is too narrow for it.
function zoneLabel(chart, texts, left, right, y, strong) {
  for (const text of texts) {
    const label = svg("text", { x: (left + right) / 2, y, "text-anchor": "middle" }, text);
    label.setAttribute("class", strong ? "zone strong" : "zone");
    chart.append(label);
    if (label.getComputedTextLength() + 10 < right - left) return;
    label.remove();
  }
}

// The part of a curve between two hours, its ends interpolated.
function part({ hours, ...lines }, low, high) {
  const inside = hours.flatMap((each, i) => (each > low && each < high ? [i] : []));
  const cut = (line) => {
    if (line[0] === null) return line;
    const at = (x) => {
      const i = Math.max(
        1,
        hours.findIndex((each) => each >= x),
      );
      return (
        line[i - 1] + ((line[i] - line[i - 1]) * (x - hours[i - 1])) / (hours[i] - hours[i - 1])
      );
    };
    return [at(low), ...inside.map((i) => line[i]), at(high)];
  };
  return {
    hours: [low, ...inside.map((i) => hours[i]), high],
    score: cut(lines.score),
    low: cut(lines.low),
    high: cut(lines.high),
  };
}

// Draws the line, its band, the rows and the hours trained on; returns where a number falls.
export function drawFit(chart, { model, points, curve, domain }) {
  const [width, height] = [chart.clientWidth, chart.clientHeight];
  const [low, high] = domain;
  const band = part(curve, low, high);
  const numbers = [...band.score, ...points.map(([, score]) => score)];
  if (band.low[0] !== null) numbers.push(...band.low, ...band.high);
  let [bottom, top] = [Math.min(...numbers), Math.max(...numbers)];
  if (bottom === top) [bottom, top] = [bottom - 1, top + 1];
  if (bottom > 0 && bottom < (top - bottom) / 2) bottom = 0;
  const air = (top - bottom) * 0.06;
  if (bottom !== 0) bottom -= air;
  top += air;

  const scores = ticks(bottom, top, between(height / 60, 3, 6));
  const labels = scores.map(tickText);
  const left = Math.max(48, 14 + Math.max(...labels.map(widthOf)));
  const edge = { left, right: width - 14, top: 38, bottom: height - 30 };
  const x = (hours) => edge.left + ((hours - low) / (high - low)) * (edge.right - edge.left);
  const y = (score) => edge.bottom - ((score - bottom) / (top - bottom)) * (edge.bottom - edge.top);

  const turned = { patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" };
  const hatch = svg("pattern", { id: "hatch", width: 7, height: 7, ...turned });
  hatch.append(svg("line", { y2: 7, class: "hatch" }));
  const defs = svg("defs");
  defs.append(hatch);
  chart.replaceChildren(defs);

  const [from, to] = [x(Math.max(low, model.hours_min)), x(Math.min(high, model.hours_max))];
  const zone = (a, b, fill) =>
    chart.append(
      svg("rect", {
        x: a,
        y: edge.top,
        width: Math.max(0, b - a),
        height: edge.bottom - edge.top,
        ...fill,
      }),
    );
  zone(edge.left, from, { fill: "url(#hatch)" });
  zone(from, to, { class: "inside" });
  zone(to, edge.right, { fill: "url(#hatch)" });

  scores.forEach((score, i) => {
    chart.append(
      svg("line", { x1: edge.left, x2: edge.right, y1: y(score), y2: y(score), class: "grid" }),
    );
    chart.append(
      svg("text", { x: edge.left - 8, y: y(score) + 4, "text-anchor": "end" }, labels[i]),
    );
  });
  for (const hours of ticks(low, high, between(width / 80, 3, 9)))
    chart.append(
      svg("text", { x: x(hours), y: edge.bottom + 18, "text-anchor": "middle" }, tickText(hours)),
    );
  chart.append(svg("text", { x: edge.left - 8, y: edge.top - 16, "text-anchor": "end" }, T.score));
  chart.append(svg("text", { x: 0, y: edge.bottom + 18 }, T.hours));
  zoneLabel(chart, [T.outside], edge.left + 8, from, edge.top - 16);
  zoneLabel(chart, [T.trainedOn, T.trained], from, to, edge.top - 16, true);
  zoneLabel(chart, [T.outside], to, edge.right, edge.top - 16);

  const at = (key, wanted) =>
    band.hours.flatMap((hours, i) => (wanted(hours) ? [[x(hours), y(band[key][i])]] : []));
  const pieces = [
    [(hours) => hours <= model.hours_min, " out"],
    [(hours) => hours >= model.hours_min && hours <= model.hours_max, ""],
    [(hours) => hours >= model.hours_max, " out"],
  ];
  const all = svg("g");
  if (band.low[0] !== null)
    for (const [wanted, out] of pieces) {
      const around = [...at("low", wanted), ...at("high", wanted).reverse()];
      all.append(svg("path", { d: `${path(around)}Z`, class: `band${out}` }));
    }
  for (const [wanted, out] of pieces)
    all.append(svg("path", { d: path(at("score", wanted)), class: `fit${out}` }));
  const radius = points.length > 100 ? 3 : points.length > 20 ? 4 : 5;
  for (const [hours, score] of points)
    all.append(svg("circle", { cx: x(hours), cy: y(score), r: radius, class: "row" }));
  chart.append(all, svg("g", { id: "marker" }));
  return {
    x,
    y,
    edge,
    hours: (px) => low + ((px - edge.left) / (edge.right - edge.left)) * (high - low),
  };
}

export function drawMarker(chart, place, hours, { score, low, high }) {
  const [x, y] = [place.x(hours), place.y(score)];
  const marker = chart.querySelector("#marker");
  marker.replaceChildren(
    svg("line", { x1: x, x2: x, y1: place.edge.bottom, y2: y, class: "drop" }),
  );
  if (low !== null && low < high)
    for (const [a, b, c, d] of [
      [x, low, x, high],
      [x - 5, low, x + 5, low],
      [x - 5, high, x + 5, high],
    ])
      marker.append(svg("line", { x1: a, y1: place.y(b), x2: c, y2: place.y(d), class: "reach" }));
  marker.append(svg("circle", { cx: x, cy: y, r: 7.5, class: "here" }));
}
