import type { Table } from '../measurement.js';

/** Which columns of a table hold numbers, with or without a unit, and are read best when aligned to the right. */
export function numberColumns({ columns, rows }: Table): boolean[] {
  return columns.map((_, at) => {
    const cells = rows.map((row) => row[at] ?? '').filter((cell) => !NOTHING.test(cell));
    return cells.length > 0 && cells.every((cell) => NUMBER.test(cell));
  });
}

const NOTHING = /^\s*[-–—]?\s*$/;
// A number, a short unit, and what else may follow a number: `0.98 (0.97 to 0.99)`, `12 of 60`. A version has two points.
const NUMBER =
  /^\s*[-+−±<>≤≥~≈×]*\s?\d+([,'\s]\d{3})*(\.\d+)?(\s?(%|×|[a-zµ]{1,6}(\/[a-z]{1,6})?))?(\s?([(–…±]|\/ ?\d|to |of ).*)?\s*$/i;
