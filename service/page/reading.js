// Reads hours as people write them, by rules that never guess. No part of this knows the page.

// Why something cannot be answered: the name of a text, and what stands in it.
export class Refusal extends Error {
  constructor(text, ...values) {
    super(text);
    Object.assign(this, { text, values });
  }
}

const SPACES = "\u00a0\u2007\u2009\u202f'’"; // which part thousands; nobody types them elsewhere
const written = (point, comma) =>
  new RegExp(
    `^([-+]?)(\\d*|[1-9]\\d{0,2}([${comma}${SPACES}])\\d{3}(?:\\3\\d{3})*)(?:${point}(\\d*))?$`,
  );
const WRITTEN = { ".": written("\\.", ","), ",": written(",", ".") }; // by the mark before decimals
const MARKS = Object.keys(WRITTEN);
const PLAIN = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i; // as programs write numbers
const NAMES = /^(hours|hours of study|study hours|hours studied|시간|공부\s?시간|학습\s?시간)$/i;
const UNSEEN = /[\u200e\u200f\ufeff]/g; // what copying leaves at the ends of cells
const clean = (cell) => cell.replace(UNSEEN, "").trim().replace(/^−/, "-");

// The number that a text is with this mark before its decimals; NaN if it is none.
function numberIn(text, mark) {
  if (mark === "." && PLAIN.test(text)) return Number(text);
  const [, sign, digits = "", , decimals = ""] = WRITTEN[mark].exec(text) ?? [];
  return digits || decimals ? Number(`${sign}${digits.replace(/\D/g, "")}.${decimals}`) : NaN;
}

// The number in a field; throws Refusal.
export function readNumber(text) {
  const cell = clean(text);
  if (PLAIN.test(cell) && Number.isFinite(Number(cell))) return Number(cell);
  const found = MARKS.map((mark) => numberIn(cell, mark)).filter(Number.isFinite);
  if (!found.length) throw new Refusal("notNumber", text);
  if (found.length > 1 && found[0] !== found[1]) throw new Refusal("twoNumbers", text, ...found);
  return found[0];
}

// The hours in a field, of at most so many; throws Refusal.
export function readHours(text, most) {
  const hours = readNumber(text);
  if (hours < 0) throw new Refusal("tooLittle");
  if (hours > most) throw new Refusal("tooMuch", most);
  return hours;
}

// The cells of a line; those between quotation marks may hold the separator.
const CELLS = Object.fromEntries(
  ["\t", ";", ","].map((sign) => [
    sign,
    new RegExp(`\\s*"((?:[^"]|"")*)"\\s*${sign}|([^${sign}]*)${sign}`, "g"),
  ]),
);
const cellsOf = (line, separator) =>
  [...`${line}${separator}`.matchAll(CELLS[separator])].map(([, quoted, bare]) =>
    clean(quoted?.replaceAll('""', '"') ?? bare),
  );

// The place of the hours among the cells: under a heading of that name, or the only number, or the
// only cell. Throws Refusal.
function columnOf(heading, first) {
  if (first.cells.length === 1) return 0;
  const isNumber = (cell) => MARKS.some((mark) => !Number.isNaN(numberIn(cell, mark)));
  const [cells, meant] = heading
    ? [heading.cells, (cell) => NAMES.test(cell)]
    : [first.cells, isNumber];
  const found = cells.flatMap((cell, i) => (meant(cell) ? [i] : []));
  if (found.length !== 1) throw new Refusal("whichColumn", (heading ?? first).at, found.length);
  return found[0];
}

// The lines as a table with this separator and decimal mark. Throws Refusal, whose first value is
// the number of a line.
function readAs(lines, hasHeading, separator, mark) {
  const rows = lines.map(({ line, at }) => ({ at, cells: cellsOf(line, separator) }));
  const width = rows[0].cells.length;
  const heading = hasHeading ? rows.shift() : null;
  const column = columnOf(heading, rows[0]);
  const hours = rows.map(({ at, cells }) => {
    while (cells.length > width && !cells.at(-1)) cells.pop();
    if (cells.length !== width) throw new Refusal("cells", at, cells.length, width);
    if (!cells[column]) throw new Refusal("empty", at);
    const value = numberIn(cells[column], mark);
    if (!Number.isFinite(value)) throw new Refusal("notHours", at, cells[column]);
    return value;
  });
  return { heading, rows, hours, column, separator, mark };
}

// The rows of a text, a line each: { heading, rows, hours, column, separator, mark }, each row with
// its line's number and its cells. A heading has no digit and stands first. All lines must fit one
// way of writing, and only one, and what the service takes: throws Refusal, which names the line.
export function readRows(text, { hours_max: most, batch_max: longest }) {
  const table = readTable(text);
  const { rows, hours } = table;
  if (rows.length > longest) throw new Refusal("tooMany", rows[longest].at, longest);
  hours.forEach((each, i) => {
    if (each < 0) throw new Refusal("lineTooLittle", rows[i].at);
    if (each > most) throw new Refusal("lineTooMuch", rows[i].at, most);
  });
  return table;
}

function readTable(text) {
  const lines = text.split(/\r\n?|\n/).map((line, i) => ({ line, at: i + 1 }));
  const blank = ({ line }) => !clean(line);
  while (lines.length && blank(lines.at(-1))) lines.pop();
  while (lines.length && blank(lines[0])) lines.shift();
  if (!lines.length) throw new Refusal("noHours");
  const hasHeading = lines.length > 1 && !/\p{N}/u.test(lines[0].line);
  const separator =
    ["\t", ";"].find((sign) => text.includes(sign)) ??
    (hasHeading && lines[0].line.includes(",") && ",");
  const ways = [];
  let furthest = null;
  for (const each of separator ? [separator] : ["\t", ","])
    for (const mark of MARKS)
      try {
        ways.push(readAs(lines, hasHeading, each, mark));
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        if (!furthest || error.values[0] >= furthest.values[0]) furthest = error;
      }
  if (!ways.length) throw furthest;
  const [way, ...others] = ways;
  if (way.mark === "." && way.rows.every(({ cells }) => PLAIN.test(cells[way.column]))) return way;
  for (const other of others) {
    const i = way.hours.findIndex((hours, row) => hours !== other.hours[row]);
    if (i < 0) continue;
    const { at, cells } = way.rows[i];
    throw new Refusal("twoHours", at, cells[way.column], way.hours[i], other.hours[i]);
  }
  return way;
}
