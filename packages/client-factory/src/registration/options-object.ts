/** Arrays, maps and the like have entries, but no options. */
export function isOptionsObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !(Symbol.iterator in value);
}
