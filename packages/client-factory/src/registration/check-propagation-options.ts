import { describeValue } from '@grpc-di/call-context/opener';
import { isOptionsObject } from './options-object.js';

const ON_CONTEXT_NOT_FOUND = ['throw', 'warn', 'ignore'];

/** What is wrong with propagation options; `undefined` when nothing is. */
export function brokenPropagationRule(value: unknown, option = 'enableCallContextPropagation'): string | undefined {
  if (typeof value === 'boolean') {
    return undefined;
  }
  if (!isOptionsObject(value)) {
    return `${option} must be a boolean or an object of options, not ${describeValue(value)}`;
  }
  for (const [name, setting] of Object.entries(value)) {
    const rule = setting === undefined ? undefined : brokenPropagationOptionRule(name, setting);
    if (rule !== undefined) {
      return `${option}.${rule}`;
    }
  }
  return undefined;
}

function brokenPropagationOptionRule(name: string, value: unknown): string | undefined {
  switch (name) {
    case 'deadline':
    case 'cancellation':
      return typeof value === 'boolean' ? undefined : `${name} must be a boolean, not ${describeValue(value)}`;
    case 'metadata':
      return Array.isArray(value) && value.every(isMetadataName)
        ? undefined
        : `metadata must be an array of metadata names, each written out, such as ['x-request-id'], not ${describeValue(value)}`;
    case 'deadlineMarginMs':
      return value === 0 || (isPositive(value) && value !== Infinity)
        ? undefined
        : `deadlineMarginMs must be a number of milliseconds, 0 or more, not ${describeValue(value)}`;
    case 'onContextNotFound':
      return ON_CONTEXT_NOT_FOUND.includes(value as string)
        ? undefined
        : `onContextNotFound must be 'throw', 'warn' or 'ignore', not ${describeValue(value)}`;
    default:
      return `${name} is unknown; there are deadline, cancellation, metadata, deadlineMarginMs, onContextNotFound`;
  }
}

/** `grpc-` names are the protocol's own (gRPC over HTTP/2). */
function isMetadataName(value: unknown): boolean {
  return typeof value === 'string' && /^[a-z0-9_.-]+$/i.test(value) && !/^grpc-/i.test(value);
}

function isPositive(value: unknown): boolean {
  return typeof value === 'number' && value > 0;
}
