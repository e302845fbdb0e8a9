// The page's elements.

export const $ = (id) => document.getElementById(id);

export function fill(values) {
  for (const [id, value] of Object.entries(values)) $(id).textContent = value;
}

// A table of texts, in which some columns are not numbers; the last, named "", is a remark.
export function tableOf(head, rows, words = []) {
  const table = document.createElement("table");
  const line = table.createTHead().insertRow();
  for (const name of head) {
    const cell = document.createElement(name ? "th" : "td");
    if (name) cell.scope = "col";
    cell.textContent = name;
    line.append(cell);
  }
  words.forEach((i) => line.cells[i].classList.add("words"));
  const body = table.createTBody();
  for (const cells of rows) addRow(body, cells, words);
  return table;
}

export function addRow(body, cells, words) {
  const row = body.insertRow();
  for (const text of cells) row.insertCell().textContent = text;
  words.forEach((i) => row.cells[i].classList.add("words"));
}
