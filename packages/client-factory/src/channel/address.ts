import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { type ChannelCredentials, credentials, experimental } from '@grpc/grpc-js';

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
    checkResolver(target);
    return { target, credentials: given };
  }
  if (isUrl(text) ? text.toLowerCase().startsWith('http:') : isLocal(text)) {
    return { target, credentials: credentials.createInsecure() };
  }
  if (isUrl(text)) {
    return { target, credentials: credentials.createSsl() };
  }
  const { scheme, rest } = splitTarget(text);
  const url = scheme === undefined || scheme === 'dns' ? `write 'https://${rest}', or add` : 'add';
  throw new Error(
    `address '${text}' says nothing of TLS: ${url} credentials: credentials.createSsl() or, for plain text, ` +
      'credentials.createInsecure()',
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
  if (username + password !== '') {
    // Not to be found in logs.
    throw new Error(`address '${protocol}//...@${hostname}' must not contain a user or password: use call credentials`);
  }
  if (pathname !== '/' || search + hash !== '') {
    throw new Error(
      `address '${text}' must be no more than scheme, host and port: a gRPC channel has no path or query`,
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

/** A scheme of its own (xds, one that a resolver was registered for) is grpc-js's to judge. */
function checkTarget(text: string): string {
  if (/\s/.test(text)) {
    throw new Error(`address '${text}' must not contain white space`);
  }
  const { scheme, rest, hosts } = splitTarget(text);
  if (/^\/*$/.test(rest)) {
    throw new Error(`address '${text}' is no gRPC target: there is nothing behind the scheme`);
  }
  if (hosts?.some((host) => host === undefined)) {
    throw new Error(`address '${text}' is no gRPC target: expected ${EXPECTED[scheme ?? 'dns']}`);
  }
  // grpc-js knows schemes in lower case only.
  return scheme === undefined ? text : scheme + text.slice(scheme.length);
}

/**
 * grpc-js takes a scheme that no resolver was registered for as part of a host's name. One may be registered later than
 * the client, so that only the first use can tell.
 */
function checkResolver(target: string): void {
  const { scheme, hosts, rest } = splitTarget(target);
  if (hosts === undefined && scheme !== undefined && !hasResolver(scheme, rest)) {
    const advice =
      scheme === 'xds'
        ? 'install @grpc/grpc-js-xds, and call its register()'
        : `call registerResolver('${scheme}', ...) of @grpc/grpc-js's experimental`;
    throw new Error(
      `address '${target}' needs a resolver for '${scheme}', and grpc-js has none: ${advice} before the client's first use`,
    );
  }
}

/** grpc-js does not say which resolvers it has, but that it has none is how making one fails. */
function hasResolver(scheme: string, path: string): boolean {
  try {
    experimental.createResolver({ scheme, path }, () => true, {}).destroy();
  } catch (error) {
    return !String(error).includes('No resolver could be created');
  }
  return true;
}

const PORT = 'a port from 1 to 65535';

const EXPECTED: Record<string, string> = {
  dns: `host:port, with ${PORT}; lists of addresses are for 'ipv4:' and 'ipv6:'`,
  ipv4: `'ipv4:' and IPv4 addresses with ${PORT}, separated by commas`,
  ipv6: `'ipv6:' and IPv6 addresses with ${PORT}, such as [::1]:50051, separated by commas`,
};

interface SplitTarget {
  /** In lower case. */
  readonly scheme: string | undefined;
  /** Without scheme and authority (`dns://8.8.8.8/users:50051`). */
  readonly rest: string;
  /** For schemes of hosts and ports: the hosts, without their ports; `undefined` for what is none. */
  readonly hosts: ReadonlyArray<string | undefined> | undefined;
}

/** `users:50051` has no scheme, and `users:port` is a mistake: schemes that are not gRPC's own need two slashes. */
const SCHEME = /^(?:(dns|ipv4|ipv6|unix|unix-abstract):|([a-z][a-z0-9+.-]*):(?=\/\/))/i;

function splitTarget(target: string): SplitTarget {
  const match = SCHEME.exec(target);
  const scheme = (match?.[1] ?? match?.[2])?.toLowerCase();
  const rest = target.slice(match?.[0].length ?? 0).replace(/^\/\/[^/]*\//, '');
  switch (scheme) {
    case undefined:
    case 'dns':
      return { scheme, rest, hosts: [hostOf(rest)] };
    case 'ipv4':
      return { scheme, rest, hosts: hostsOf(rest, isIPv4) };
    case 'ipv6':
      return { scheme, rest, hosts: hostsOf(rest, isIPv6) };
    default:
      return { scheme, rest: rest.replace(/^\/\//, ''), hosts: undefined };
  }
}

function hostsOf(list: string, isRight: (host: string) => boolean): Array<string | undefined> {
  return list
    .split(',')
    .map(hostOf)
    .map((host) => (host !== undefined && isRight(host) ? host : undefined));
}

/** The host of `host:port`, `host`, `[IPv6]:port`, `[IPv6]` and bare IPv6; `undefined` for what is none of them. */
function hostOf(hostAndPort: string): string | undefined {
  if (isIPv6(hostAndPort)) {
    return hostAndPort;
  }
  const match = /^(?:\[([^\]]+)\]|([^\s:/?#[\]@,]+))(?::(\d+))?$/.exec(hostAndPort);
  if (match === null) {
    return undefined;
  }
  const [, ipv6, name, port = '443'] = match;
  const isRight = (ipv6 === undefined || isIPv6(ipv6)) && Number(port) > 0 && Number(port) <= 65_535;
  return isRight ? (ipv6 ?? name) : undefined;
}

function isUrl(text: string): boolean {
  return /^https?:/i.test(text);
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Loopback and unix sockets: nothing leaves the machine, so plain text needs no word. */
function isLocal(target: string): boolean {
  const { scheme, hosts } = splitTarget(target);
  return hosts === undefined ? scheme === 'unix' || scheme === 'unix-abstract' : hosts.every(isLoopback);
}

function isLoopback(host: string | undefined): boolean {
  return (
    host !== undefined && (/^(.+\.)?localhost$/i.test(host) || loopback.check(host, isIPv6(host) ? 'ipv6' : 'ipv4'))
  );
}
