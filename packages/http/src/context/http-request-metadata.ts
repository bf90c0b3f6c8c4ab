import type { IncomingHttpHeaders } from 'node:http';
import type { RequestMetadata } from '@grpc-di/call-context';

/**
 * A request's headers as gRPC's request metadata. Nothing is converted before somebody asks.
 *
 * It holds Node's own `headers`, and so agrees with the code of the application: a repeated `authorization` is the
 * first one there, and must not be another one for the services below.
 */
export class HttpRequestMetadata implements RequestMetadata {
  readonly #headers: IncomingHttpHeaders;

  constructor(headers: IncomingHttpHeaders) {
    this.#headers = headers;
  }

  /**
   * The header's values, whatever the case of `name`; of a name in `-bin` as bytes. Pseudo-headers, and values that
   * gRPC cannot carry (outside printable ASCII), are not there: what a client sends must not fail the calls below.
   */
  get(name: string): Array<string | Buffer> {
    const key = name.toLowerCase();
    if (key.startsWith(':') || !Object.hasOwn(this.#headers, key)) {
      return [];
    }
    const values = this.#headers[key];
    const list = typeof values === 'string' ? [values] : (values ?? []);
    return key.endsWith('-bin') ? list.flatMap(bytesOf) : list.filter(isSendable);
  }
}

/** gRPC over HTTP/2: "Implementations must split Binary-Headers on ','". */
function bytesOf(value: string): Buffer[] {
  return value.split(',').map((encoded) => Buffer.from(encoded.trim(), 'base64'));
}

function isSendable(value: string): boolean {
  return /^[ -~]*$/.test(value);
}
