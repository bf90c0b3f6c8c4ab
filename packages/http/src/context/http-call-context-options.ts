import { describeValue } from '@grpc-di/call-context/opener';
import type { HttpRequest } from '../http-types.js';

/** Where a request's deadline comes from; the smallest of all wins. Without any, the context has none. */
export interface HttpCallContextOptions {
  /**
   * Milliseconds from the moment in which the context is opened; `Infinity` or `undefined` is no deadline, 0 or less is
   * already over. A function is called once per request, with the request of node:http or node:http2 (of Express or
   * Connect, where they serve); what it throws is the request's error.
   */
  timeoutMs?: number | RequestTimeout;
  /**
   * The name of a request header in which clients say how long they will wait: milliseconds (`1500`), or gRPC's form
   * (`1500m`, `2S`). Anything else counts as no timeout. `grpc-timeout` is always read, in gRPC's form.
   */
  timeoutHeader?: string;
}

/** As a method's type, so that a function of Express's own request type will do. */
type RequestTimeout = { timeoutMs(req: HttpRequest): number | undefined }['timeoutMs'];

/** The options, checked. */
export interface HttpCallPolicy {
  readonly timeoutMs: number | RequestTimeout | undefined;
  /** In lower case, as Node names the headers of a request. */
  readonly timeoutHeader: string | undefined;
}

/**
 * @param maker whose options they are, for the message.
 * @param ignored names that are there and not for us.
 * @throws TypeError naming the option, for values of a wrong type and for unknown options.
 */
export function httpCallPolicy(
  maker: string,
  options: HttpCallContextOptions,
  ignored: readonly string[] = [],
): HttpCallPolicy {
  check(typeof options === 'object' && options !== null, `${maker}: options must be an object`, options);
  for (const [option, value] of Object.entries(options)) {
    if (value !== undefined && !ignored.includes(option)) {
      checkOption(maker, option, value);
    }
  }
  return { timeoutMs: options.timeoutMs, timeoutHeader: options.timeoutHeader?.toLowerCase() };
}

function checkOption(maker: string, option: string, value: unknown): void {
  switch (option) {
    case 'timeoutMs':
      return check(
        isMilliseconds(value) || typeof value === 'function',
        `${maker}: timeoutMs must be a number of milliseconds (Infinity for no deadline) or a function of the request that returns one`,
        value,
      );
    case 'timeoutHeader':
      return check(
        typeof value === 'string' && HEADER_NAME.test(value),
        `${maker}: timeoutHeader must be the name of a request header, such as 'x-timeout-ms'`,
        value,
      );
    default:
      throw new TypeError(`${maker}: unknown option "${option}"; it takes timeoutMs and timeoutHeader`);
  }
}

/** A token of RFC 9110, section 5.6.2. */
const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/i;

export function isMilliseconds(value: unknown): value is number {
  return typeof value === 'number' && !Number.isNaN(value);
}

function check(valid: boolean, rule: string, value: unknown): void {
  if (!valid) {
    throw new TypeError(`${rule}, not ${describeValue(value)}`);
  }
}
