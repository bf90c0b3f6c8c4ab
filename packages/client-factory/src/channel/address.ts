import { type ChannelCredentials, credentials } from '@grpc/grpc-js';

/** Where a channel leads: what grpc-js's `Channel` is made of. */
export interface ChannelAddress {
  /** A gRPC target, such as `dns:users:50051`. */
  readonly target: string;
  readonly credentials: ChannelCredentials;
}

/**
 * Makes sense of an address: a gRPC target (https://github.com/grpc/grpc/blob/master/doc/naming.md), or an http(s)
 * URL, which also picks the credentials. grpc-js itself would look up the host `http` for the latter.
 *
 * @throws Error that says what is wrong, without the client's name.
 */
export function resolveAddress(address: string | URL, given: ChannelCredentials | undefined): ChannelAddress {
  const text = String(address).trim();
  const target = checkAddress(text, given);
  if (given !== undefined) {
    return { target, credentials: given };
  }
  if (isUrl(text) ? text.toLowerCase().startsWith('http:') : isLocal(text)) {
    return { target, credentials: credentials.createInsecure() };
  }
  if (isUrl(text)) {
    return { target, credentials: credentials.createSsl() };
  }
  throw new Error(
    `address '${text}' says nothing of TLS: write 'https://${hostOf(text)}', or add ` +
      'credentials: credentials.createSsl() or, for plain text, credentials.createInsecure()',
  );
}

/**
 * The gRPC target of an address, after all checks that need nothing but the address and the given credentials.
 *
 * @throws Error that says what is wrong, without the client's name.
 */
export function checkAddress(address: string | URL, given: ChannelCredentials | undefined): string {
  const text = String(address).trim();
  if (text === '') {
    throw new Error(
      "address is empty: write a gRPC target such as 'dns:users:50051', or a URL such as 'https://users:50051'",
    );
  }
  return isUrl(text) ? targetOfUrl(text, given) : checkTarget(text);
}

function targetOfUrl(text: string, given: ChannelCredentials | undefined): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) {
    throw new Error(`address '${text}' is no valid URL`);
  }
  const { protocol, hostname, port, pathname, search, hash, username, password } = url;
  if (pathname !== '/' || search + hash + username + password !== '') {
    throw new Error(
      `address '${text}' must be no more than scheme, host and port: a gRPC channel has no path, query or user`,
    );
  }
  const secure = protocol === 'https:';
  if (given !== undefined && given._isSecure() !== secure) {
    throw new Error(
      secure
        ? `address '${text}' is https, and the credentials are insecure: leave them out, use credentials.createSsl(), or write http`
        : `address '${text}' is http, and the credentials are for TLS: write https`,
    );
  }
  return `dns:${hostname}:${port === '' ? (secure ? 443 : 80) : port}`;
}

const SCHEME = /^([a-z][a-z0-9+.-]*):(?=\/\/|[^0-9])/i;
const HOST_AND_PORT = /^(\[[0-9a-f:.%]+\]|[^\s:/?#[\]@]+|[0-9a-f:.]*:[0-9a-f:.]*)(?::(\d+))?$/i;

/** A scheme of its own (xds, one that a resolver was registered for) is grpc-js's to judge. */
function checkTarget(text: string): string {
  if (/\s/.test(text)) {
    throw new Error(`address '${text}' must not contain white space`);
  }
  const scheme = SCHEME.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined || scheme === 'dns' || scheme === 'ipv4' || scheme === 'ipv6') {
    for (const host of hostOf(text).split(',')) {
      const match = HOST_AND_PORT.exec(host);
      if (match === null || Number(match[2] ?? 0) > 65_535) {
        throw new Error(
          `address '${text}' is no gRPC target: expected host:port, with a port up to 65535, and not '${host}'`,
        );
      }
    }
  } else if (text.length === scheme.length + 1) {
    throw new Error(`address '${text}' is no gRPC target: there is nothing behind the scheme`);
  }
  return text;
}

function isUrl(text: string): boolean {
  return /^https?:/i.test(text);
}

/** Behind the scheme and the authority (`dns://8.8.8.8/users:50051`). */
function hostOf(target: string): string {
  return target.replace(SCHEME, '').replace(/^\/\/[^/]*\//, '');
}

/** Loopback and unix sockets: nothing leaves the machine, so plain text needs no word. */
function isLocal(target: string): boolean {
  return (
    /^unix(-abstract)?:/i.test(target) ||
    hostOf(target)
      .split(',')
      .every((host) => /^(localhost|[^:]+\.localhost|127(\.\d{1,3}){3}|\[::1\]|::1)(:\d+)?$/i.test(host))
  );
}
