// The page's elements.

export const $ = (id) => document.getElementById(id);

export function fill(values) {
  for (const [id, value] of Object.entries(values)) $(id).textContent = value;
}

// A table of texts; what stands in the columns named "" is to be read as a remark.
export function tableOf(head, rows) {
  const table = document.createElement("table");
  const line = table.createTHead().insertRow();
  for (const name of head) {
    const cell = document.createElement(name ? "th" : "td");
    if (name) cell.scope = "col";
    cell.textContent = name;
    line.append(cell);
  }
  const body = table.createTBody();
  for (const cells of rows) addRow(body, cells);
  return table;
}

export function addRow(body, cells) {
  const row = body.insertRow();
  for (const text of cells) row.insertCell().textContent = text;
}
