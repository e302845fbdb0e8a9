// What both charts are made of: SVG in the pixels of the page, so that text keeps its size.

export const svg = (name, attributes = {}, text = "") => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  return element;
};
export const path = (points) =>
  "M" + points.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L");

// Empties a chart and names it for those who do not see it; paper may be narrower than the screen.
export function begin(chart, title, description) {
  const { id, clientWidth: width, clientHeight: height } = chart;
  chart.setAttribute("viewBox", `0 0 ${width} ${height}`);
  chart.setAttribute("aria-labelledby", `${id}-title`);
  chart.setAttribute("aria-describedby", `${id}-desc`);
  chart.replaceChildren(
    svg("title", { id: `${id}-title` }, title),
    svg("desc", { id: `${id}-desc` }, description),
  );
  return [width, height];
}

// Lays a slider below a chart, with the middle of its thumb where the plot begins and ends.
export function alignWith(slider, { left, right }) {
  slider.style.marginLeft = `${left - 11}px`;
  slider.style.width = `${right - left + 22}px`;
}

// How many times as large as usual the browser's text is.
export const textScale = () => parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;

// 1, 2, 2.5 or 5 times a power of ten, at least as large.
export function niceStep(step) {
  const power = 10 ** Math.floor(Math.log10(step));
  return power * [1, 2, 2.5, 5, 10].find((times) => times * power >= step * 0.999);
}

export function ticks(low, high, count) {
  const step = niceStep((high - low) / count);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => +((first + i) * step).toPrecision(12));
}
