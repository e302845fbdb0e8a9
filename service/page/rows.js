// Several at once: rows come pasted, typed or in a file; their predictions go as a table or a file.

import { $, addRow, tableOf } from "./dom.js";
import { copy, linesOf, save, textOf } from "./files.js";
import { T, complain } from "./language.js";
import { decimalsOf, digits, fixed, hoursText, isWide, whole } from "./numbers.js";
import { Refusal, readRows } from "./reading.js";
import { question } from "./service.js";

const AT_ONCE = 200; // rows drawn; more when somebody scrolls to their end

// With the model's limits and whether it is the one shown by a tag; returns what follows it.
export function manyRows(limits, isShown) {
  let table = null; // the rows as they were read
  let found = null; // their predictions
  const nothing = $("table").firstElementChild;
  const predict = question("predict_batch", isShown, {
    wait: () => ($("table").ariaBusy = "true"),
    answer(_, predictions, isLast) {
      if (!isLast) return; // of rows that are no longer there
      found = predictions;
      $("table").ariaBusy = "false";
      draw();
    },
    refuse,
  });

  // Nothing old stands beside what is new.
  function clear() {
    table = found = null;
    predict(null);
    $("table").replaceChildren(nothing);
    $("table").onscroll = null;
    $("table").ariaBusy = $("column-note").textContent = $("copied").textContent = "";
    $("save").disabled = $("copy").disabled = true;
  }

  function refuse(refusal) {
    clear();
    complain("column", refusal);
  }

  function read() {
    clear();
    complain("column", null);
    try {
      table = readRows($("column").value, limits());
      again();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refuse(error);
    }
  }

  function again() {
    if (table) predict({ hours: table.hours });
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

  // The cells that came, with the heading that the column of hours has or gets.
  const heading = () =>
    table.heading?.cells ??
    table.rows[0].cells.map((_, i) => (i === table.column ? "hours" : `column ${i + 1}`));

  function draw() {
    if (!found) return;
    const { low, high, score } = found;
    const widths = low.flatMap((each, i) => (isWide(each, high[i]) ? [high[i] - each] : []));
    const decimals = widths.length ? decimalsOf(Math.min(...widths)) : null;
    const text = (value) =>
      value === null ? "–" : decimals === null ? digits(value, 6) : fixed(value, decimals);
    const cellsOf = ({ cells }, i) => [
      ...cells.map((cell, at) => (at === table.column ? hoursText(table.hours[i]) : cell)),
      ...[score[i], low[i], high[i]].map(text),
      found.extrapolated[i] ? T.outside : "",
    ];
    const names = heading().map((name, i) =>
      i === table.column && !table.heading ? T.hours : name,
    );
    const sheet = tableOf([...names, T.score, T.low, T.high, ""], []);
    sheet.setAttribute("aria-rowcount", table.rows.length + 1);
    const drawMore = () => {
      const from = sheet.tBodies[0].rows.length;
      table.rows
        .slice(from, from + AT_ONCE)
        .forEach((row, i) => addRow(sheet.tBodies[0], cellsOf(row, from + i)));
    };
    drawMore();
    $("table").onscroll = () => {
      const { scrollTop, clientHeight, scrollHeight } = $("table");
      if (scrollTop + 2 * clientHeight > scrollHeight) drawMore();
    };
    $("table").replaceChildren(sheet);
    const passed = table.heading;
    $("column-note").textContent = [
      T.predicted(whole(table.rows.length)),
      ...(passed ? [T.heading(passed.at, passed.cells.join(" "))] : []),
    ].join(" ");
    $("save").disabled = $("copy").disabled = false;
  }

  // What came, and every digit of what was found, written as what came.
  function lines() {
    const written = (value) => (value === null ? "" : String(value).replace(".", table.mark));
    return [
      [...heading(), "score", "low", "high", "extrapolated"],
      ...table.rows.map(({ cells }, i) => [
        ...cells,
        ...[found.score[i], found.low[i], found.high[i], found.extrapolated[i]].map(written),
      ]),
    ];
  }

  $("batch").onsubmit = (event) => {
    event.preventDefault();
    read();
  };
  $("column").oninput = () => refuse(null);
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
  $("save").onclick = () =>
    save("predictions.csv", linesOf(lines(), table.mark === "," ? ";" : ","));
  $("copy").onclick = () => {
    copy(linesOf(lines(), "\t"));
    $("copied").textContent = T.copiedTable;
  };

  return { draw, again };
}
