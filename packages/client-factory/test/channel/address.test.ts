import 'reflect-metadata';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials, experimental, Server, ServerCredentials } from '@grpc/grpc-js';
import { createGrpcClient, GrpcClientFactory, type GrpcClientOptions, getGrpcClient } from '@grpc-di/client-factory';
import { LeafClient, LeafService, type RunningServer } from '@grpc-di/test-rig';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Container } from 'inversify';
import { answeringWith, serverOf, startNamedServer } from '../registration/named-server.js';

const LEAF = 'grpc_di.test.v1.Leaf';

let server: RunningServer;
beforeAll(async () => {
  server = await startNamedServer('home');
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

class OwnResolver {
  updateResolution(): void {}
  destroy(): void {}
  static getDefaultAuthority(): string {
    return 'localhost';
  }
}
experimental.registerResolver('own', OwnResolver);

let container: Container;
beforeEach(() => {
  container = new Container();
});
afterEach(() => container.get(GrpcClientFactory).close({ cancelCalls: true }));

function register(options: GrpcClientOptions): void {
  createGrpcClient(container, LeafClient, options);
}

describe('an address on this machine needs no credentials', () => {
  test.each<[string, (port: number) => string | URL]>([
    ['an IPv4 address', (port) => `127.0.0.1:${port}`],
    ['localhost', (port) => `localhost:${port}`],
    ['dns:', (port) => `dns:localhost:${port}`],
    ['dns: in upper case', (port) => `DNS:LOCALHOST:${port}`],
    ['dns: with an empty authority', (port) => `dns:///localhost:${port}`],
    ['white space around it', (port) => ` localhost:${port}\n`],
    ['ipv4:', (port) => `ipv4:127.0.0.1:${port}`],
    ['ipv4: with several', (port) => `ipv4:127.0.0.1:1,127.0.0.1:${port}`],
    ['an http URL', (port) => `http://127.0.0.1:${port}`],
    ['an http URL with a slash', (port) => `http://localhost:${port}/`],
    ['an http URL in upper case', (port) => `HTTP://LOCALHOST:${port}`],
    ['a URL object', (port) => new URL(`http://localhost:${port}`)],
  ])('%s', async (_form, address) => {
    register({ address: address(server.port) });

    expect(await serverOf(getGrpcClient(container, LeafClient))).toBe('home');
  });

  // Where the machine has no IPv6, listening fails, and there is nothing to see.
  test.each<[string, (port: number) => string]>([
    ['an IPv6 address', (port) => `[::1]:${port}`],
    ['an IPv6 address, written out', (port) => `[0:0:0:0:0:0:0:1]:${port}`],
    ['dns: with an IPv6 address', (port) => `dns:[::1]:${port}`],
    ['ipv6:', (port) => `ipv6:[::1]:${port}`],
    ['ipv6: with several', (port) => `ipv6:[::1]:1,[::1]:${port}`],
    ['an http URL with an IPv6 address', (port) => `http://[::1]:${port}`],
  ])('%s', async (_form, address) => {
    const six = await listen('[::1]:0');
    if (six === undefined) {
      register({ address: address(1) });
      getGrpcClient(container, LeafClient);
      return;
    }
    register({ address: address(six.port) });

    expect(await serverOf(getGrpcClient(container, LeafClient))).toBe('[::1]:0');
    six.server.forceShutdown();
  });

  // grpc-js has no unix sockets on Windows.
  (process.platform === 'win32' ? test.skip : test).each<[string, (path: string) => string]>([
    ['unix: with an absolute path', (path) => `unix:${path}`],
    ['unix: with an authority', (path) => `unix://${path}`],
  ])('%s', async (_form, address) => {
    const folder = mkdtempSync(join(tmpdir(), 'grpc-di-'));
    const path = join(folder, 'leaf.sock');
    const unix = await listen(`unix:${path}`);
    register({ address: address(path) });

    expect(await serverOf(getGrpcClient(container, LeafClient))).toBe(`unix:${path}`);
    unix!.server.forceShutdown();
    rmSync(folder, { recursive: true });
  });
});

describe('a URL', () => {
  test.each([
    ['https://users', 'dns:users:443'],
    ['https://users:50051', 'dns:users:50051'],
    ['http://users', 'dns:users:80'],
    ['https://USERS.example/', 'dns:users.example:443'],
    ['https://[2001:db8::1]:50051', 'dns:[2001:db8::1]:50051'],
  ])('%s means the target %s', (address, target) => {
    register({ address });

    expect(container.get(GrpcClientFactory).getChannel(LEAF).getTarget()).toBe(target);
  });
});

describe('credentials', () => {
  const TLS_HANDSHAKE = 0x16;
  const HTTP2_PREFACE = 'P'.charCodeAt(0);

  test.each<[string, (port: number) => GrpcClientOptions, number]>([
    ['https picks TLS', (port) => ({ address: `https://localhost:${port}` }), TLS_HANDSHAKE],
    ['http picks plain text', (port) => ({ address: `http://localhost:${port}` }), HTTP2_PREFACE],
    ['a loopback target is plain text', (port) => ({ address: `localhost:${port}` }), HTTP2_PREFACE],
    [
      'a loopback target uses those that it is given',
      (port) => ({ address: `localhost:${port}`, credentials: credentials.createSsl() }),
      TLS_HANDSHAKE,
    ],
    [
      'https uses those that it is given',
      (port) => ({ address: `https://localhost:${port}`, credentials: credentials.createSsl(null) }),
      TLS_HANDSHAKE,
    ],
    [
      'http goes with insecure ones',
      (port) => ({ address: `http://localhost:${port}`, credentials: credentials.createInsecure() }),
      HTTP2_PREFACE,
    ],
  ])('%s', async (_what, options, firstByte) => {
    const listener = createServer().listen(0);
    await once(listener, 'listening');
    register(options((listener.address() as AddressInfo).port));

    container.get(GrpcClientFactory).getChannel(LEAF).getConnectivityState(true);
    const [socket] = await once(listener, 'connection');
    const [bytes] = await once(socket, 'data');

    expect(bytes[0]).toBe(firstByte);
    await container.get(GrpcClientFactory).close();
    socket.destroy();
    listener.close();
  });

  test.each([
    ['users:50051', "write 'https://users:50051', or add"],
    ['users', "write 'https://users', or add"],
    ['dns:users.example:50051', "write 'https://users.example:50051', or add"],
    ['dns:///users:50051', "write 'https://users:50051', or add"],
    ['dns://8.8.8.8/users:50051', "write 'https://users:50051', or add"],
    ['10.0.0.1:50051', "write 'https://10.0.0.1:50051', or add"],
    ['[2001:db8::1]:50051', "write 'https://[2001:db8::1]:50051', or add"],
    ['0.0.0.0:50051', "write 'https://0.0.0.0:50051', or add"],
    ['localhost.example:50051', "write 'https://localhost.example:50051', or add"],
    ['ipv4:127.0.0.1:50051,10.0.0.1:50051', 'add'],
    ['ipv6:[2001:db8::1]:50051', 'add'],
    ['own:///localhost', 'add'],
  ])('%s needs some, at the first use and in validate()', (address, advice) => {
    const error =
      `gRPC client '${LEAF}': address '${address}' says nothing of TLS: ${advice} credentials: ` +
      'credentials.createSsl() or, for plain text, credentials.createInsecure()';
    register({ address });

    expect(() => getGrpcClient(container, LeafClient)).toThrow(new Error(error));
    expect(() => container.get(LeafClient)).toThrow(new Error(error));
    expect(() => container.get(GrpcClientFactory).getChannel(LEAF)).toThrow(new Error(error));
    expect(() => container.get(GrpcClientFactory).validate()).toThrow(`1 gRPC client(s) cannot be used:\n- ${error}`);

    register({ credentials: credentials.createInsecure() });
    getGrpcClient(container, LeafClient);
    container.get(GrpcClientFactory).validate();
  });
});

// How calls through a resolver fare is shown in xds.test.ts.
describe('a scheme that is not one of its own', () => {
  test.each([
    ['xds:///users', 'xds', 'install @grpc/grpc-js-xds, and call its register()'],
    ['consul://localhost/users', 'consul', "call registerResolver('consul', ...) of @grpc/grpc-js's experimental"],
    ['CONSUL://localhost/users', 'consul', "call registerResolver('consul', ...) of @grpc/grpc-js's experimental"],
  ])('%s needs a resolver, at the first use and in validate()', (address, scheme, advice) => {
    register({ address, credentials: credentials.createInsecure() });
    const error =
      `gRPC client '${LEAF}': address '${address.toLowerCase()}' needs a resolver for '${scheme}', and grpc-js has none: ` +
      `${advice} before the client's first use`;

    expect(() => getGrpcClient(container, LeafClient)).toThrow(new Error(error));
    expect(() => container.get(GrpcClientFactory).validate()).toThrow(error);
  });

  test('may be registered after the client, and is asked for the target as it stands', () => {
    register({ address: 'later://somewhere/users?x=1', credentials: credentials.createInsecure() });
    const targets: unknown[] = [];
    class LaterResolver extends OwnResolver {
      constructor(target: unknown) {
        super();
        targets.push(target);
      }
    }
    experimental.registerResolver('later', LaterResolver);

    getGrpcClient(container, LeafClient).getChannel().getConnectivityState(true);

    expect(targets.at(-1)).toEqual({ scheme: 'later', authority: 'somewhere', path: 'users?x=1' });
  });

  test('whose resolver throws has one', () => {
    class FussyResolver extends OwnResolver {
      constructor() {
        super();
        throw new Error('not this one');
      }
    }
    experimental.registerResolver('fussy', FussyResolver);
    register({ address: 'fussy:///users', credentials: credentials.createInsecure() });

    container.get(GrpcClientFactory).validate();
  });
});

describe('an address function', () => {
  test('is called with the container that the client is registered in, at the first use, and once', async () => {
    const containers: Container[] = [];
    container.bind('port').toConstantValue(server.port);
    register({
      address: (given) => {
        containers.push(given);
        return `localhost:${given.get<number>('port')}`;
      },
    });
    expect(containers).toEqual([]);

    container.get(GrpcClientFactory).validate();
    const child = new Container({ parent: container });
    expect(await serverOf(getGrpcClient(child, LeafClient))).toBe('home');
    expect(await serverOf(getGrpcClient(container, LeafClient))).toBe('home');

    expect(containers).toHaveLength(1);
    expect(containers[0]).toBe(container);
  });

  test('may return a URL', async () => {
    register({ address: () => new URL(`http://localhost:${server.port}`) });

    expect(await serverOf(getGrpcClient(container, LeafClient))).toBe('home');
  });

  test('that throws is called again at the next use', async () => {
    const cause = new Error('not known yet');
    let address = '';
    register({
      address: () => {
        if (address === '') {
          throw cause;
        }
        return address;
      },
    });
    const error = new Error(`gRPC client '${LEAF}': its address function threw: not known yet`, { cause });

    expect(() => getGrpcClient(container, LeafClient)).toThrow(error);
    expect(() => container.get(GrpcClientFactory).validate()).toThrow(error.message);
    await expect(container.get(GrpcClientFactory).waitForReady()).rejects.toThrow(error.message);
    address = server.address;

    expect(await serverOf(getGrpcClient(container, LeafClient))).toBe('home');
  });

  test.each<[unknown, string]>([
    [undefined, 'its address function returned undefined instead of a gRPC target or a URL'],
    [null, 'its address function returned null instead of a gRPC target or a URL'],
    [50051, 'its address function returned 50051 instead of a gRPC target or a URL'],
    [Promise.resolve('users:50051'), 'its address function returned a promise instead of a gRPC target or a URL'],
    ['', "address is empty: write a gRPC target such as 'dns:users:50051', or a URL such as 'https://users:50051'"],
    [
      'users:port',
      "address 'users:port' is no gRPC target: expected host:port, with a port from 1 to 65535; lists of addresses are for 'ipv4:' and 'ipv6:'",
    ],
    [
      'https://users/v1',
      "address 'https://users/v1' must be no more than scheme, host and port: a gRPC channel has no path or query",
    ],
  ])('that returns %p is an error at the use', (returned, text) => {
    register({ address: () => returned as string });

    expect(() => getGrpcClient(container, LeafClient)).toThrow(new Error(`gRPC client '${LEAF}': ${text}`));
  });

  test('is held against the credentials', () => {
    register({ address: () => 'https://users', credentials: credentials.createInsecure() });

    expect(() => getGrpcClient(container, LeafClient)).toThrow(
      "address 'https://users' is https, and the credentials are insecure",
    );
  });
});

test('a client without an address is an error at the first use, that says what to write', () => {
  register({});
  const error = `gRPC client '${LEAF}': it has no address: write createGrpcClient(container, LeafClient, { address: 'https://users:50051' })`;

  expect(() => getGrpcClient(container, LeafClient)).toThrow(new Error(error));
  expect(() => container.get(GrpcClientFactory).validate()).toThrow(error);
});

/** A server that answers with its own address; `undefined` where it cannot listen. */
async function listen(address: string): Promise<{ server: Server; port: number } | undefined> {
  const listening = new Server();
  listening.addService(LeafService, answeringWith(address));
  return new Promise((resolve) => {
    listening.bindAsync(address, ServerCredentials.createInsecure(), (error, port) =>
      resolve(error === null ? { server: listening, port } : undefined),
    );
  });
}
