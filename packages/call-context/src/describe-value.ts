import { inspect } from 'node:util';

/** A wrong value as an error's text shows it: strings in quotes, objects no deeper than needed, one line. */
export function describeValue(value: unknown): string {
  return inspect(value, { depth: 0, breakLength: Infinity, maxArrayLength: 5, maxStringLength: 60 });
}
