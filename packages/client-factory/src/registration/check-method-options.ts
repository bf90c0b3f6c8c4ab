import { describeValue } from '@grpc-di/call-context/opener';
import { isMethodName, type Rpc } from '../call/rpcs.js';
import { isOptionsObject } from './options-object.js';

export function brokenTimeoutRule(path: string, value: unknown): string | undefined {
  return typeof value === 'number' && !Number.isNaN(value)
    ? undefined
    : `${path} must be a number of milliseconds (Infinity for no deadline), not ${describeValue(value)}`;
}

export function brokenBooleanRule(path: string, value: unknown): string | undefined {
  return typeof value === 'boolean' ? undefined : `${path} must be a boolean, not ${describeValue(value)}`;
}

export function brokenMethodsRule(methods: unknown, rpcs: readonly Rpc[] | undefined): string | undefined {
  if (!isOptionsObject(methods)) {
    return `methods must be an object such as { getUser: { timeoutMs: 500 } }, not ${describeValue(methods)}`;
  }
  for (const [method, defaults] of Object.entries(methods) as Array<[string, unknown]>) {
    const path = `methods.${method}`;
    if (rpcs !== undefined && !rpcs.some((rpc) => isMethodName(method, rpc))) {
      return `${path}: the client has no such rpc; there are ${rpcs.map(({ name }) => name).join(', ')}`;
    }
    if (!isOptionsObject(defaults)) {
      return `${path} must be an object such as { timeoutMs: 500 }, not ${describeValue(defaults)}`;
    }
    for (const [name, value] of Object.entries(defaults) as Array<[string, unknown]>) {
      const rule = value === undefined ? undefined : brokenMethodRule(path, name, value);
      if (rule !== undefined) {
        return rule;
      }
    }
  }
  return undefined;
}

function brokenMethodRule(path: string, name: string, value: unknown): string | undefined {
  switch (name) {
    case 'timeoutMs':
      return brokenTimeoutRule(`${path}.${name}`, value);
    case 'waitForReady':
      return brokenBooleanRule(`${path}.${name}`, value);
    default:
      return `${path}: unknown option "${name}"; there are timeoutMs, waitForReady`;
  }
}
