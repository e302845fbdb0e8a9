// The two charts, as SVG in the pixels of the page, so that text keeps its size at any width.

const svg = (name, attributes = {}, text = "") => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  return element;
};
const path = (points) => "M" + points.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L");
const between = (value, low, high) => Math.min(Math.max(value, low), high);

// The pixels of a tick's label; Korean characters are the wide ones.
const widthOf = (label) => [...label].reduce((sum, sign) => sum + (sign > "ㄱ" ? 12 : 7.2), 0);

// 1, 2, 2.5 or 5 times a power of ten, at least as large.
function niceStep(step) {
  const power = 10 ** Math.floor(Math.log10(step));
  return power * [1, 2, 2.5, 5, 10].find((times) => times * power >= step * 0.999);
}

function ticks(low, high, count) {
  const step = niceStep((high - low) / count);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => +((first + i) * step).toPrecision(12));
}

const HOURS_MAX = 8784; // the service takes no more

// The hours to draw: those trained on and as much again around them, and `hours` itself.
function hoursToDraw(model, hours) {
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
      const i = Math.max(1, hours.findIndex((each) => each >= x));
      return line[i - 1] + ((line[i] - line[i - 1]) * (x - hours[i - 1])) / (hours[i] - hours[i - 1]);
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
function drawFit(chart, { model, points, curve, domain }, T) {
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

  const hatch = svg("pattern", { id: "hatch", width: 7, height: 7, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" });
  hatch.append(svg("line", { y2: 7, class: "hatch" }));
  const defs = svg("defs");
  defs.append(hatch);
  chart.replaceChildren(defs);

  const [from, to] = [x(Math.max(low, model.hours_min)), x(Math.min(high, model.hours_max))];
  const zone = (a, b, fill) =>
    chart.append(svg("rect", { x: a, y: edge.top, width: Math.max(0, b - a), height: edge.bottom - edge.top, ...fill }));
  zone(edge.left, from, { fill: "url(#hatch)" });
  zone(from, to, { class: "inside" });
  zone(to, edge.right, { fill: "url(#hatch)" });

  scores.forEach((score, i) => {
    chart.append(svg("line", { x1: edge.left, x2: edge.right, y1: y(score), y2: y(score), class: "grid" }));
    chart.append(svg("text", { x: edge.left - 8, y: y(score) + 4, "text-anchor": "end" }, labels[i]));
  });
  for (const hours of ticks(low, high, between(width / 80, 3, 9)))
    chart.append(svg("text", { x: x(hours), y: edge.bottom + 18, "text-anchor": "middle" }, tickText(hours)));
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
  const all = svg("g", { class: "fresh" });
  if (band.low[0] !== null)
    for (const [wanted, out] of pieces)
      all.append(svg("path", { d: path([...at("low", wanted), ...at("high", wanted).reverse()]) + "Z", class: `band${out}` }));
  for (const [wanted, out] of pieces)
    all.append(svg("path", { d: path(at("score", wanted)), class: `fit${out}` }));
  const radius = points.length > 100 ? 3 : points.length > 20 ? 4 : 5;
  for (const [hours, score] of points)
    all.append(svg("circle", { cx: x(hours), cy: y(score), r: radius, class: "row" }));
  chart.append(all, svg("g", { id: "marker" }));
  return { x, y, edge, hours: (px) => low + ((px - edge.left) / (edge.right - edge.left)) * (high - low) };
}

function drawMarker(chart, place, hours, { score, low, high }) {
  const [x, y] = [place.x(hours), place.y(score)];
  const marker = chart.querySelector("#marker");
  marker.replaceChildren(svg("line", { x1: x, x2: x, y1: place.edge.bottom, y2: y, class: "drop" }));
  if (low !== null && low < high)
    for (const [a, b, c, d] of [[x, low, x, high], [x - 5, low, x + 5, low], [x - 5, high, x + 5, high]])
      marker.append(svg("line", { x1: a, y1: place.y(b), x2: c, y2: place.y(d), class: "reach" }));
  marker.append(svg("circle", { cx: x, cy: y, r: 7.5, class: "here" }));
}

const roundingOf = (costs) => costs[0][1] * 1e-12; // below, a cost is nothing but rounding

// Cost by epoch, both on log axes, for the first steps are the steep ones.
function drawCosts(chart, costs, T) {
  const [width, height] = [chart.clientWidth, chart.clientHeight];
  const least = Math.min(...costs.map(([, cost]) => cost));
  const floor = Math.max(roundingOf(costs), least, Number.MIN_VALUE);
  const most = Math.max(...costs.map(([, cost]) => cost), floor);
  let [bottom, top] = [Math.log10(floor), Math.log10(most)];
  const air = Math.max(0.08 * (top - bottom), 0.02);
  [bottom, top] = [bottom - air, top + air];
  const last = costs.at(-1)[0];
  const edge = { left: 56, right: width - 18, top: 24, bottom: height - 26 };
  const x = (epoch) => edge.left + (Math.log10(epoch + 1) / Math.log10(last + 1)) * (edge.right - edge.left);
  const y = (cost) =>
    edge.bottom - ((Math.log10(Math.max(cost, floor)) - bottom) / (top - bottom)) * (edge.bottom - edge.top);

  chart.replaceChildren();
  const marks = logTicks(bottom, top).map((cost) => [cost, costText(cost)]);
  if (least < floor) marks[0] = [floor, "≈ 0"];
  for (const [cost, label] of marks) {
    chart.append(svg("line", { x1: edge.left, x2: edge.right, y1: y(cost), y2: y(cost), class: "grid" }));
    chart.append(svg("text", { x: edge.left - 8, y: y(cost) + 4, "text-anchor": "end" }, label));
  }
  const epochs = [0, ...Array.from({ length: 10 }, (_, i) => 10 ** i)];
  for (const epoch of epochs.filter((each) => each <= last))
    chart.append(svg("text", { x: x(epoch), y: edge.bottom + 18, "text-anchor": "middle" }, tickText(epoch)));
  chart.append(svg("text", { x: edge.left - 8, y: 10, "text-anchor": "end" }, T.cost));
  chart.append(svg("text", { x: 0, y: edge.bottom + 18 }, T.epoch));
  const line = costs.map(([epoch, cost]) => [x(epoch), y(cost)]);
  chart.append(svg("path", { d: path(line), class: "fit" }));
  for (const [cx, cy] of [line[0], line.at(-1)])
    chart.append(svg("circle", { cx, cy, r: 4.5, class: "row" }));
}

// Powers of ten where there are enough of them, else 1, 2 and 5 times those.
function logTicks(bottom, top) {
  const powers = Array.from({ length: 700 }, (_, i) => i - 340).filter((p) => p >= bottom && p <= top);
  if (powers.length > 2) {
    const every = Math.ceil(powers.length / 4);
    return powers.filter((p) => p % every === 0).map((p) => 10 ** p);
  }
  const fine = Array.from({ length: Math.ceil(top) - Math.floor(bottom) + 1 }, (_, i) => Math.floor(bottom) + i);
  const inside = fine
    .flatMap((p) => [1, 2, 5].map((times) => times * 10 ** p))
    .filter((cost) => Math.log10(cost) >= bottom && Math.log10(cost) <= top);
  return inside.length > 1 ? inside : ticks(10 ** bottom, 10 ** top, 3);
}
