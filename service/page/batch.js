// Several at once: a pasted column in, a table to copy out.

import { $, problem } from "./dom.js";
import { T } from "./language.js";
import { hoursText, scoreText } from "./numbers.js";
import { Refusal, ask, refused } from "./service.js";

let table = null; // the last batch: hours and predictions
let decimals = 0; // of its scores

// Hours from a list or a pasted column, whose first line may be its heading; throws Refusal.
function hoursIn(text) {
  const words = text.split(/[\s;,]+/).filter(Boolean);
  if (Number.isNaN(Number(words[0]))) words.shift();
  if (!words.length) throw new Refusal(T.noHours);
  return words.map((word, i) => {
    if (!Number.isFinite(Number(word))) throw new Refusal(T.notNumber(i + 1, word));
    return Number(word);
  });
}

async function predictMany(hours) {
  const found = await ask("predict_batch", { hours }).catch(refused);
  problem("column", found.refusal ?? "");
  if (found.refusal) return;
  table = { hours, ...found };
  drawTable();
}

// The same hours for another model.
export function predictAgain() {
  if (table) predictMany(table.hours);
}

// Draws the table with as many decimals as the model's scores call for.
export function drawTableWith(ofTheModel) {
  decimals = ofTheModel;
  drawTable();
}

function drawTable() {
  if (!table) return;
  const sheet = document.createElement("table");
  const head = sheet.createTHead().insertRow();
  for (const name of [T.hours, T.score, T.low, T.high, ""]) {
    const cell = document.createElement(name ? "th" : "td");
    if (name) cell.scope = "col";
    cell.textContent = name;
    head.append(cell);
  }
  const body = sheet.createTBody();
  table.hours.forEach((hours, i) => {
    const row = body.insertRow();
    const bound = (value) => (value === null ? "–" : scoreText(value, decimals));
    const cells = [
      hoursText(hours),
      scoreText(table.score[i], decimals),
      bound(table.low[i]),
      bound(table.high[i]),
    ];
    for (const text of cells) row.insertCell().textContent = text;
    const outside = row.insertCell();
    outside.className = "out";
    outside.textContent = table.extrapolated[i] ? T.outside : "";
  });
  $("table").replaceChildren(sheet);
  $("copy").disabled = false;
  $("copied").textContent = "";
}

// Every digit, tab-separated. navigator.clipboard is missing on plain HTTP, where schools serve.
function copyTable() {
  const keys = ["score", "low", "high", "extrapolated"];
  const lines = table.hours.map((hours, i) => [hours, ...keys.map((key) => table[key][i] ?? "")]);
  const text = [["hours", ...keys], ...lines].map((line) => line.join("\t")).join("\n");
  const put = (event) => {
    event.preventDefault();
    event.clipboardData.setData("text/plain", text);
  };
  getSelection().selectAllChildren($("table"));
  document.addEventListener("copy", put, { once: true });
  document.execCommand("copy");
  document.removeEventListener("copy", put);
  getSelection().removeAllRanges();
  $("copied").textContent = T.copied;
}

$("batch").onsubmit = (event) => {
  event.preventDefault();
  try {
    predictMany(hoursIn($("column").value));
  } catch (error) {
    problem("column", refused(error).refusal);
  }
};
$("copy").onclick = copyTable;
