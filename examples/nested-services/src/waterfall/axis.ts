const STEPS_MS = [10, 20, 50, 100, 200, 250, 500, 1000, 2000, 5000, 10_000];
const LEAST_COLUMNS_PER_STEP = 7;

/** The times under which bars of this width are read, such as `0 ms   100    200`. */
export function axis(spanMs: number, width: number): string {
  const columnsPerMs = (width - 1) / spanMs;
  const step = STEPS_MS.find((ms) => ms * columnsPerMs >= LEAST_COLUMNS_PER_STEP) ?? spanMs;
  let line = '0 ms';
  for (let time = step; time <= spanMs; time += step) {
    const label = String(time);
    const column = Math.round(time * columnsPerMs);
    if (column < width) {
      line = line.padEnd(column) + label;
    }
  }
  return line;
}
