// Several at once: rows come pasted, typed or in a file; their predictions go as a table or a file.

import { compared } from "./classroom.js";
import { $ } from "./dom.js";
import { copy, linesOf, save, textOf } from "./files.js";
import { T, complain } from "./language.js";
import { Refusal } from "./numerals.js";
import { drawPoints, drawWithPage, isShown, limits } from "./page.js";
import { comparison, lines, note, reading, sheetOf } from "./predictions.js";
import { readTables } from "./reading.js";
import { question } from "./service.js";

const AT_ONCE = 200; // rows drawn; more when somebody scrolls to their end
const CHOICES = 12; // at most, to choose from

let choices = []; // the tables that the text can be, where only a person can tell
let table = null; // the rows as they were read
let found = null; // their predictions
let check = null; // how they compare with the scores that came, if any did
let isSilent = false; // the service, since they were asked for
const nothing = $("table").firstElementChild;
const predict = question("predict_batch", isShown, {
  wait: () => ($("table").ariaBusy = "true"),
  answer(_, predictions, isLast) {
    if (!isLast) return; // of rows that are no longer there
    found = predictions;
    check = compared(table, found);
    isSilent = false;
    $("table").ariaBusy = "false";
    drawRows();
    drawPoints(check?.points ?? []);
  },
  refuse,
  silence() {
    isSilent = true;
    drawRows();
  },
});

// Nothing old stands beside what is new.
function clear() {
  table = found = check = null;
  choices = [];
  isSilent = false;
  predict(null);
  $("table").replaceChildren(nothing);
  $("table").onscroll = onbeforeprint = null;
  $("table").ariaBusy = $("copied").textContent = "";
  drawRows();
  drawPoints([]);
}

function refuse(...refusals) {
  clear();
  complain("column", ...refusals);
}

function read() {
  try {
    const { tables, refusal } = readTables($("column").value, limits());
    if (!refusal) return take(tables[0]);
    refuse(refusal);
    if (refusal.text !== "mixedMarks" && tables.length <= CHOICES) choices = tables;
    drawRows();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    refuse(error);
  }
}

// The rows that have a problem are named, and the others predicted, unless those are the fewer.
function take(chosen) {
  refuse(...chosen.rows.flatMap(({ problem }) => problem ?? []));
  if (!chosen.usable) return;
  table = chosen;
  const rows = table.rows.filter(({ hours }) => hours !== null);
  rows.forEach((row, i) => (row.nth = i));
  again();
}

function again() {
  predict({ hours: table.rows.flatMap(({ hours }) => hours ?? []) });
}

async function readFile(files) {
  if (!files.length) return;
  try {
    $("column").value = await textOf(files, limits().batch_max);
    read();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    refuse(error);
  }
}

function drawTable() {
  const { sheet, drawTo } = sheetOf(table, found);
  drawTo(AT_ONCE);
  $("table").onscroll = () => {
    const { scrollTop, clientHeight, scrollHeight } = $("table");
    if (scrollTop + 2 * clientHeight > scrollHeight) drawTo(sheet.rows.length + AT_ONCE);
  };
  onbeforeprint = () => drawTo(Infinity);
  $("table").replaceChildren(sheet);
}

function drawRows() {
  $("choices").replaceChildren(
    ...choices.map((each) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "act quiet";
      button.textContent = reading(each);
      button.onclick = () => take(each);
      return button;
    }),
  );
  if (found) drawTable();
  $("batch-status").textContent = isSilent ? T.silentRows : "";
  $("column-note").textContent = found ? note(table, found) : "";
  $("comparison").textContent = check ? comparison(check) : "";
  $("old").hidden = !found || isShown(found.by);
  $("save").disabled = $("copy").disabled = !found;
}

$("batch").onsubmit = (event) => {
  event.preventDefault();
  read();
};
$("column").oninput = () => refuse();
$("file").onchange = async () => {
  await readFile($("file").files);
  $("file").value = ""; // so that the same one can be chosen again
};
document.ondragover = (event) => {
  if (event.dataTransfer.types.includes("Files")) event.preventDefault();
};
document.ondrop = (event) => {
  const { files } = event.dataTransfer;
  if (!files.length) return; // a text, which goes where it is dropped
  event.preventDefault();
  readFile(files);
};
$("again").onclick = again;
$("save").onclick = () =>
  save("predictions.csv", linesOf(lines(table, found), table.mark === "," ? ";" : ","));
$("copy").onclick = () => {
  copy(linesOf(lines(table, found), "\t"));
  $("copied").textContent = T.copiedTable;
};
drawWithPage(drawRows);
$("predict").disabled = false;
