// The line, its bands, the rows and the markers.

import { T } from "./language.js";
import { between, tickText } from "./numbers.js";
import { begin, niceStep, path, svg, textScale, ticks } from "./svg.js";

// The pixels of a tick's label; Korean characters are the wide ones.
const widthOf = (label) => [...label].reduce((sum, sign) => sum + (sign > "ㄱ" ? 12 : 7.2), 0);

// The hours to draw: those trained on, some on either side, and others asked for.
export function hoursToDraw({ hours_min, hours_max, limits }, asked) {
  const span = hours_max - hours_min;
  const step = niceStep(span / 10);
  let low = Math.max(0, hours_min - span * 0.2);
  if (low < span * 0.4) low = 0;
  let high = hours_max + span * 0.2;
  for (const hours of asked) {
    if (hours < low) low = Math.max(0, hours - span / 4);
    if (hours > high) high = hours + (hours - low) * 0.06;
  }
  return [
    +(Math.floor(low / step) * step).toPrecision(12),
    Math.min(limits.hours_max, +(Math.ceil(high / step) * step).toPrecision(12)),
  ];
}

// The curve at some hours in order, between those it is known at by interpolation.
export function curveAt({ hours, ...lines }, wanted) {
  const at = (line) =>
    wanted.map((x) => {
      const i = Math.max(
        1,
        hours.findIndex((each) => each >= x),
      );
      const share = (x - hours[i - 1]) / (hours[i] - hours[i - 1]);
      return line[0] === null ? null : line[i - 1] + (line[i] - line[i - 1]) * share;
    });
  return {
    hours: wanted,
    ...Object.fromEntries(Object.entries(lines).map(([key, line]) => [key, at(line)])),
  };
}

// A label in the middle of a zone, unless the zone is too narrow for it.
function zoneLabel(chart, texts, left, right, y, strong) {
  for (const text of texts) {
    const label = svg("text", { x: (left + right) / 2, y, "text-anchor": "middle" }, text);
    if (strong) label.setAttribute("class", "strong");
    chart.append(label);
    if (label.getComputedTextLength() + 10 < right - left) return;
    label.remove();
  }
}

// The scores from the lowest to the highest, and some air.
function scoresToDraw(numbers) {
  const known = numbers.filter((each) => each !== null);
  let [bottom, top] = [Math.min(...known), Math.max(...known)];
  if (top - bottom < 1e-9 * Math.abs(top) || bottom === top) {
    const around = Math.max(1, Math.abs(top) / 10);
    [bottom, top] = [bottom - around, top + around];
  }
  if (bottom > 0 && bottom < (top - bottom) / 2) bottom = 0;
  const air = (top - bottom) * 0.06;
  return [bottom === 0 ? 0 : bottom - air, top + air];
}

// Draws the line, its bands, the rows and the hours trained on; returns where a number falls.
export function drawFit(chart, shown, description) {
  const [width, height] = begin(chart, T.fitTitle, description);
  const { model, points, pupils, curve, domain, goal } = shown;
  const [low, high] = domain;
  const known = curve.hours.filter((each) => each > low && each < high);
  const band = curveAt(curve, [low, ...known, high]);
  const [bottom, top] = scoresToDraw([
    ...[band.score, band.low, band.high].flat(),
    ...[...points, ...pupils].map(([, score]) => score),
    ...(goal === null ? [] : [goal]),
  ]);

  const em = textScale();
  const scores = ticks(bottom, top, between(height / em / 60, 3, 6));
  const left = em * Math.max(48, 14 + Math.max(...scores.map((each) => widthOf(tickText(each)))));
  const edge = { left, right: Math.max(left, width - 14), top: 38 * em, bottom: height - 30 * em };
  const [wide, tall] = [edge.right - edge.left, edge.bottom - edge.top];
  const place = {
    edge,
    domain,
    scores: [bottom, top],
    x: (hours) => edge.left + ((hours - low) / (high - low)) * wide,
    y: (score) => edge.bottom - ((score - bottom) / (top - bottom)) * tall,
    hours: (px) => low + ((px - edge.left) / wide) * (high - low),
    score: (py) => bottom + ((edge.bottom - py) / tall) * (top - bottom),
  };
  drawFrame(chart, place, model);
  drawAxes(chart, place, scores, ticks(low, high, between(width / em / 80, 3, 9)));

  const all = svg("g");
  drawBands(all, place, band, model);
  const radius = points.length > 100 ? 3 : points.length > 20 ? 4 : 5;
  for (const [kind, rows] of Object.entries({ row: points, pupil: pupils }))
    for (const [hours, score] of rows)
      all.append(svg("circle", { cx: place.x(hours), cy: place.y(score), r: radius, class: kind }));
  const lesson = svg("g", { id: "lesson", "clip-path": "url(#plot)" });
  chart.append(all, lesson, svg("g", { id: "aim" }), svg("g", { id: "marker" }));
  return place;
}

// The hours trained on, and those around them hatched.
function drawFrame(chart, { x, edge, domain: [low, high] }, model) {
  const turned = { patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" };
  const hatch = svg("pattern", { id: "hatch", width: 7, height: 7, ...turned });
  hatch.append(svg("line", { y2: 7, class: "hatch" }));
  const area = (from, to, fill = {}) =>
    svg("rect", {
      x: from,
      width: Math.max(0, to - from),
      y: edge.top,
      height: edge.bottom - edge.top,
      ...fill,
    });
  const plot = svg("clipPath", { id: "plot" });
  plot.append(area(edge.left, edge.right));
  const defs = svg("defs");
  defs.append(hatch, plot);

  const [from, to] = [x(Math.max(low, model.hours_min)), x(Math.min(high, model.hours_max))];
  chart.append(
    defs,
    area(edge.left, from, { fill: "url(#hatch)" }),
    area(from, to, { class: "inside" }),
    area(to, edge.right, { fill: "url(#hatch)" }),
  );
  zoneLabel(chart, [T.outside], edge.left + 8, from, edge.top - 16);
  zoneLabel(chart, [T.trainedOn, T.trained], from, to, edge.top - 16, true);
  zoneLabel(chart, [T.outside], to, edge.right, edge.top - 16);
}

function drawAxes(chart, { x, y, edge }, scores, hours) {
  const text = (at, label, anchor = "start") =>
    chart.append(svg("text", { ...at, "text-anchor": anchor }, label));
  for (const score of scores) {
    const [x1, x2, at] = [edge.left, edge.right, y(score)];
    chart.append(svg("line", { x1, x2, y1: at, y2: at, class: "grid" }));
    text({ x: edge.left - 8, y: at + 4 }, tickText(score), "end");
  }
  const below = edge.bottom + 18 * textScale();
  for (const each of hours) text({ x: x(each), y: below }, tickText(each), "middle");
  text({ x: edge.left - 8, y: edge.top - 16 }, T.score, "end");
  text({ x: 0, y: below }, T.hours);
}

// The line and its bands, paler outside the hours trained on.
function drawBands(all, { x, y, domain: [low, high] }, band, { hours_min, hours_max }) {
  for (const [first, last, out] of [
    [low, hours_min, " out"],
    [Math.max(low, hours_min), Math.min(high, hours_max), ""],
    [hours_max, high, " out"],
  ]) {
    if (first > last) continue;
    const at = (key) =>
      band.hours.flatMap((hours, i) =>
        hours >= first && hours <= last ? [[x(hours), y(band[key][i])]] : [],
      );
    for (const [name, under, over] of [
      ["band", "low", "high"],
      ["sure", "line_low", "line_high"],
    ])
      if (band[under][0] !== null)
        all.append(
          svg("path", { d: `${path([...at(under), ...at(over).reverse()])}Z`, class: name + out }),
        );
    all.append(svg("path", { d: path(at("score")), class: `fit${out}` }));
  }
}

// A line with small ends, from one place to another.
function reach(x1, y1, x2, y2) {
  const [dx, dy] = x1 === x2 ? [5, 0] : [0, 5];
  const line = (a, b, c, d) => svg("line", { x1: a, y1: b, x2: c, y2: d, class: "reach" });
  const end = (x, y) => line(x - dx, y - dy, x + dx, y + dy);
  return [line(x1, y1, x2, y2), end(x1, y1), end(x2, y2)];
}

// The hours asked for, their score and its interval.
export function drawMarker(marker, place, { hours, score, low, high }) {
  const [x, y] = [place.x(hours), place.y(score)];
  marker.replaceChildren(
    svg("line", { x1: x, x2: x, y1: place.edge.bottom, y2: y, class: "drop" }),
  );
  if (low !== null && low < high) marker.append(...reach(x, place.y(low), x, place.y(high)));
  marker.append(svg("circle", { cx: x, cy: y, r: 7.5, class: "here" }));
}

// The score wanted, the hours it takes and their interval, as far as the chart goes.
export function drawAim(aim, place, { score, hours, low, high }) {
  const y = place.y(score);
  const [first, last] = place.domain;
  aim.replaceChildren();
  if (y < place.edge.top || y > place.edge.bottom) return;
  aim.append(
    svg("line", { x1: place.edge.left, x2: place.edge.right, y1: y, y2: y, class: "drop" }),
  );
  if (low !== null && low < last)
    aim.append(
      ...reach(place.x(Math.max(low, first)), y, place.x(Math.min(high ?? last, last)), y),
    );
  if (hours === null || hours > last || hours < first) return;
  const x = place.x(hours);
  aim.append(
    svg("line", { x1: x, x2: x, y1: y, y2: place.edge.bottom, class: "drop" }),
    svg("path", { d: `M${x - 8} ${y}l8 -8l8 8l-8 8Z`, class: "here" }),
  );
}
