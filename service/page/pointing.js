// Pointing at a chart: a mouse sets the place where it is pressed and moved. A finger does so by a
// tap or a sideways drag, for any other way it scrolls the page.

const STILL = 8; // pixels that a finger may move in a tap

// Calls point(x) for each place, in pixels of the page, and over() when it is let go.
export function onPointing(chart, point, over) {
  let start = null; // where the finger came down; null where there is none, or it drags
  let isDragging = false;
  chart.onpointerdown = ({ pointerType, pointerId, clientX, clientY, button, isPrimary }) => {
    if (button !== 0 || !isPrimary) return;
    chart.setPointerCapture(pointerId);
    isDragging = pointerType === "mouse";
    start = [clientX, clientY];
    if (isDragging) point(clientX);
  };
  chart.onpointermove = ({ clientX, clientY }) => {
    if (!start) return;
    const [sideways, along] = [clientX - start[0], clientY - start[1]].map(Math.abs);
    isDragging ||= sideways > STILL && sideways > along;
    if (isDragging) point(clientX);
  };
  chart.onpointerup = ({ clientX, clientY }) => {
    if (!start) return;
    const moved = Math.hypot(clientX - start[0], clientY - start[1]);
    if (isDragging || moved <= STILL) point(clientX);
    start = null;
    over();
  };
  chart.onpointercancel = () => (start = null); // the page scrolls
}
