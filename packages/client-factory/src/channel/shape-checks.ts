import { describeValue } from '@grpc-di/call-context/opener';

/** Throws unless the value at the path is right. */
export type Check = (value: unknown, path: string) => void;

export function fails(path: string, rule: string, value: unknown): never {
  throw new TypeError(`${path} must be ${rule}, not ${describeValue(value)}`);
}

/** A key of an object, one that may be left out, or one that grpc-js does not read, with what to write instead. */
type Field = Check | { readonly optional: Check } | { readonly ignored: string };

/** @param example what to write, when the value is no object at all. */
export function object(fields: Record<string, Field>, example: string): Check {
  const known = Object.entries(fields).flatMap(([name, field]) => ('ignored' in field ? [] : [name]));
  return (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      fails(path, `an object such as ${example}`, value);
    }
    for (const name of Object.keys(value)) {
      const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
      if (field === undefined) {
        const there = known.length === 0 ? 'it has no keys' : `there are ${known.join(', ')}`;
        throw new TypeError(`${path}.${name} is unknown; ${there}`);
      }
      if ('ignored' in field && (value as Record<string, unknown>)[name] !== undefined) {
        throw new Error(`${path}.${name} has no effect: ${field.ignored}`);
      }
    }
    for (const [name, field] of Object.entries(fields)) {
      const part = (value as Record<string, unknown>)[name];
      if (typeof field === 'function') {
        field(part, `${path}.${name}`);
      } else if ('optional' in field && part !== undefined) {
        field.optional(part, `${path}.${name}`);
      }
    }
  };
}

export function arrayOf(check: Check, what: string, atLeast = 0, atMost = Infinity): Check {
  return (value, path) => {
    if (!Array.isArray(value) || value.length < atLeast || value.length > atMost) {
      fails(path, `an array of ${what}`, value);
    }
    for (const [index, item] of value.entries()) {
      check(item, `${path}[${index}]`);
    }
  };
}

export function number(rule: string, isRight: (value: number) => boolean): Check {
  return (value, path) => {
    if (typeof value !== 'number' || !Number.isFinite(value) || !isRight(value)) {
      fails(path, rule, value);
    }
  };
}

export const boolean: Check = (value, path) => {
  if (typeof value !== 'boolean') {
    fails(path, 'a boolean', value);
  }
};

/** Node's timers reach no further than 24.8 days, and grpc-js makes a back-off up to a fifth longer. */
const LONGEST_SECONDS = 20 * 24 * 3_600;

/** Seconds as text. Less than `shortestSeconds` is refused. */
export function duration(shortestSeconds: number): Check {
  const least = shortestSeconds === 0 ? '' : `, ${shortestSeconds}s or more`;
  return (value, path) => {
    const seconds = typeof value === 'string' && /^\d+(\.\d{1,9})?s$/.test(value) ? Number(value.slice(0, -1)) : NaN;
    if (!(seconds >= shortestSeconds && seconds <= LONGEST_SECONDS)) {
      fails(path, `a duration in seconds such as '0.1s'${least} and at most 20 days ('${LONGEST_SECONDS}s')`, value);
    }
  };
}
