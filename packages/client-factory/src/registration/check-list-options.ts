import { CallCredentials } from '@grpc/grpc-js';
import { describeValue } from '@grpc-di/call-context/opener';
import { isIdentifier } from './container-parts.js';
import { isOptionsObject } from './options-object.js';

export function brokenListRule(
  name: string,
  list: unknown,
  brokenEntryRule: (entry: unknown, path: string) => string | undefined,
): string | undefined {
  if (!Array.isArray(list)) {
    return `${name} must be an array, not ${describeValue(list)}`;
  }
  for (const [i, entry] of list.entries()) {
    const rule = brokenEntryRule(entry, `${name}[${i}]`);
    if (rule !== undefined) {
      return rule;
    }
  }
  return undefined;
}

export function brokenInterceptorRule(entry: unknown, path: string): string | undefined {
  if (typeof entry === 'function' && isIdentifier(entry)) {
    return `${path} is a class: write { interceptor: ${(entry as { name: string }).name} }, and bind the class in the container`;
  }
  if (typeof entry === 'function') {
    return undefined;
  }
  if (!isOptionsObject(entry)) {
    return `${path} must be an interceptor of grpc-js, (options, nextCall) => call, or { interceptor, scope }, not ${describeValue(entry)}`;
  }
  const { interceptor, scope = 'channel', ...others } = entry as { interceptor?: unknown; scope?: unknown };
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) {
    return `${path}: unknown key "${unknown}"; there are interceptor, scope`;
  }
  if (typeof interceptor !== 'function' && !isIdentifier(interceptor)) {
    return `${path}.interceptor must be an interceptor of grpc-js or the identifier of an object with an intercept method, not ${describeValue(interceptor)}`;
  }
  return scope === 'channel' || scope === 'client'
    ? undefined
    : `${path}.scope must be 'channel' or 'client', not ${describeValue(scope)}`;
}

export function brokenCredentialsRule(entry: unknown, path: string): string | undefined {
  return entry instanceof CallCredentials || typeof entry === 'function' || isIdentifier(entry)
    ? undefined
    : `${path} must be CallCredentials of @grpc/grpc-js, a function that returns metadata, or the identifier of an object with a getMetadata method, not ${describeValue(entry)}`;
}
