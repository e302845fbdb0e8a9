// What SGD goes down: the cost of a line. No part of this knows the page.

// The mean squared error of Wx + b on the training rows, exactly, without having them.
export function costOf({ least, slope, hours_mean, hours_variance, score_mean }, W, b) {
  const [tilt, offset] = [W - slope, W * hours_mean + b - score_mean];
  return least + tilt * tilt * hours_variance + offset * offset;
}

// The lab's SGD, on the hours as they are from W = b = 0: epoch, cost, W and b before the steps of
// these epochs, as far as the cost is not 1000 times that of the start.
export function labRun(cost, lr, epochs) {
  const wanted = new Set(epochs);
  const steps = [];
  const start = costOf(cost, 0, 0);
  let [W, b] = [0, 0];
  for (let epoch = 0; epoch <= epochs.at(-1); epoch++) {
    const now = costOf(cost, W, b);
    if (wanted.has(epoch)) steps.push([epoch, now, W, b]);
    if (!(now <= 1000 * start)) break;
    const offset = W * cost.hours_mean + b - cost.score_mean;
    const tilt = (W - cost.slope) * cost.hours_variance;
    W -= lr * 2 * (tilt + cost.hours_mean * offset);
    b -= lr * 2 * offset;
  }
  return steps;
}
