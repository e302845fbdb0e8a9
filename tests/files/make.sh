#!/usr/bin/env bash
# Makes the files beside it again, each by its own program: R, openpyxl, LibreOffice.
# The numbers are R's `cars`, halved, of which R says: score = 3.932409 * hours - 8.789547.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

Rscript - <<'R'
names <- rep(c("J\u00fcrgen", "Zo\u00eb", "\u00c4nne, B.", "Ole"), length.out = nrow(cars))
rows <- data.frame(Name = names, Hours = cars$speed / 2, SCORE = cars$dist / 2)
names(rows)[1] <- "Sch\u00fcler"
write.csv2(rows, "r-csv2.csv", row.names = FALSE, fileEncoding = "CP1252")
write.csv(rows, "r-csv.csv")
write.table(rows, "r-utf16.txt", sep = "\t", row.names = FALSE, fileEncoding = "UTF-16LE")
write.table(rows[2:3], "r-cr.csv", sep = ",", eol = "\r", row.names = FALSE)
print(coef(lm(SCORE ~ Hours, rows)), digits = 7)
R

PYTHONPATH=../.. ../../.venv/bin/python - <<'PYTHON'
import datetime
from openpyxl import Workbook
from tests.data import CARS_DIST, CARS_SPEED

book = Workbook()
sheet = book.active
sheet.title = "Klasse 9b"
sheet.append(["Schüler", " Hours ", "SCORE"])
for i, (speed, dist) in enumerate(zip(CARS_SPEED, CARS_DIST)):
    sheet.append([("Jürgen", "Zoë", "Änne, B.", "Ole")[i % 4], speed / 2, dist / 2])
for row in sheet.iter_rows(min_row=2, min_col=2, max_col=3):
    for cell in row:
        cell.number_format = "[$-407]0.00"  # as a German sees them
sheet["B3"] = "2"  # text that is a number
faulty = book.create_sheet("faulty")
faulty.append(["hours", "score"])
for k in range(20):
    faulty.append([k, 2 * k])
faulty["A17"] = datetime.date(2026, 3, 1)
faulty["B19"] = "=1/0"
book.create_sheet("empty")
shifted = book.create_sheet("shifted")
shifted["C4"], shifted["D4"], shifted["C5"], shifted["D5"] = "score", "hours", 20, "absent"
book.save("openpyxl.xlsx")
PYTHON

convert() {
    soffice --headless "-env:UserInstallation=file://$work/user" --convert-to "$@" >/dev/null 2>&1
}
csv="csv:Text - txt - csv (StarCalc)"
convert "xlsx:Calc MS Excel 2007 XML" --outdir "$work" openpyxl.xlsx
mv "$work/openpyxl.xlsx" calc.xlsx
convert xls calc.xlsx
convert ods calc.xlsx
convert "$csv:59,34,1,1" --outdir "$work" calc.xlsx # semicolons, Windows-1252
mv "$work/calc.csv" calc-1252.csv
convert "$csv:9,34,65535,1" --outdir "$work" calc.xlsx # tabs, UTF-16
mv "$work/calc.csv" calc-utf16.csv
