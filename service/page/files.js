// Tables that come and go as files, or by the clipboard.

import { $ } from "./dom.js";
import { Refusal } from "./numerals.js";

const BYTES = 4_000_000; // 10,000 rows have less

// The text of a file, in the encodings that spreadsheets write, the first that it can be in; throws
// Refusal.
export async function textOf(files, rows) {
  if (files.length > 1) throw new Refusal("oneFile");
  if (files[0].size > BYTES) throw new Refusal("tooLarge", rows);
  const bytes = new Uint8Array(await files[0].arrayBuffer());
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) throw new Refusal("workbook"); // "PK": a zip file
  const wide = { "255,254": "utf-16le", "254,255": "utf-16be" }[bytes.slice(0, 2)];
  for (const encoding of wide ? [wide] : ["utf-8", "euc-kr", "windows-1252"])
    try {
      const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
      if (/[\0-\x08\x0e-\x1f]/.test(text)) break;
      return text;
    } catch {} // not in this one
  throw new Refusal("notText");
}

// As lines of cells; those that hold a separator, a quotation mark or a line's end are quoted.
export const linesOf = (rows, separator) =>
  rows
    .map((cells) =>
      cells
        .map((cell) => (/[",;\t\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell))
        .join(separator),
    )
    .join("\r\n");

// The mark at the beginning tells spreadsheets that it is UTF-8.
export function save(name, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([`\ufeff${text}\r\n`], { type: "text/csv" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

// navigator.clipboard is missing on plain HTTP, where schools serve.
export function copy(text) {
  const put = (event) => {
    event.preventDefault();
    event.clipboardData.setData("text/plain", text);
  };
  getSelection().selectAllChildren($("headline"));
  document.addEventListener("copy", put, { once: true });
  document.execCommand("copy");
  document.removeEventListener("copy", put);
  getSelection().removeAllRanges();
}
