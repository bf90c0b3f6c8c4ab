import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect as connectHttp2, createServer as createHttp2Server, type Http2ServerResponse } from 'node:http2';
import { connect } from 'node:net';
import { type CallContextScope, surroundingScope } from '@grpc-di/call-context/opener';
import { CallContextNotFoundError } from '@grpc-di/client-factory';
import { callContextMiddleware, type HttpRequest, type HttpResponse } from '@grpc-di/http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { APPS, listening } from '../apps.js';
import { get } from '../client.js';
import { Gates } from '../gate.js';
import { type LeafHop, startLeafHop } from '../leaf-client.js';
import { RawConnection } from '../raw-connection.js';

let hop: LeafHop;

beforeAll(async () => {
  hop = await startLeafHop();
});

afterAll(async () => {
  await hop[Symbol.asyncDispose]();
});

const CANCELLED = expect.objectContaining({ code: 1 });

describe('HTTP/1.1', () => {
  test('a client that closes its side of the connection has left', async () => {
    await using app = await APPS['node:http'](async () => (await hop.call('half-closed')).text);

    const connection = (await RawConnection.to(app)).get('/');
    const arrival = await hop.leaf.arrived('half-closed');
    connection.socket.end();

    await arrival.cancelled;
  });

  test('a fetch that is aborted has left', async () => {
    await using app = await APPS.Express(async () => (await hop.call('fetched')).text);
    const controller = new AbortController();

    const fetched = fetch(`http://127.0.0.1:${app.port}`, { signal: controller.signal });
    const arrival = await hop.leaf.arrived('fetched');
    controller.abort();

    await expect(fetched).rejects.toMatchObject({ name: 'AbortError' });
    await arrival.cancelled;
  });

  test('requests on one connection have a context each', async () => {
    const scopes: CallContextScope[] = [];
    await using app = await APPS['node:http']((req) => {
      scopes.push(surroundingScope()!);
      return `${req.url} done`;
    });

    const connection = await RawConnection.to(app);
    for (const path of ['/1', '/2', '/3']) {
      await connection.get(path).until(`${path} done`);
    }

    expect(new Set(scopes).size).toBe(3);
    expect(scopes.map(({ name }) => name)).toEqual(['GET /1', 'GET /2', 'GET /3']);
    connection.socket.destroy();
  });
});

describe('HTTP/2', () => {
  test('a reset cancels its own request, and no other one of the connection', async () => {
    await using app = await APPS['node:http2'](async (req) => (await hop.call(`reset${req.url}`)).text);
    const session = connectHttp2(`http://127.0.0.1:${app.port}`);

    const [first, second] = ['/1', '/2'].map((path) => session.request({ ':path': path }));
    const [firstArrival, secondArrival] = [await hop.leaf.arrived('reset/1'), await hop.leaf.arrived('reset/2')];
    first!.close(8);
    await firstArrival.cancelled;
    secondArrival.answer();

    const [headers] = await once(second!, 'response');
    expect(headers[':status']).toBe(200);
    session.destroy();
  });

  test('a lost connection cancels all of its requests', async () => {
    await using app = await APPS['node:http2'](async (req) => (await hop.call(`lost${req.url}`)).text);
    const socket = connect(app.port, '127.0.0.1');
    const session = connectHttp2(`http://127.0.0.1:${app.port}`, { createConnection: () => socket });
    const arrivals = ['/1', '/2'].map((path) => {
      session.request({ ':path': path }).on('error', () => {});
      return hop.leaf.arrived(`lost${path}`);
    });

    const [first, second] = await Promise.all(arrivals);
    socket.destroy();

    await Promise.all([first!.cancelled, second!.cancelled]);
  });

  test('a response that is finished ends the context also while the request is still being sent', async () => {
    const finished = new Gates<CallContextScope>();
    await using app = await APPS['node:http2']((_req, res) => {
      const scope = surroundingScope()!;
      (res as Http2ServerResponse).stream.on('finish', () => finished.open('', scope));
      return 'done';
    });
    const session = connectHttp2(`http://127.0.0.1:${app.port}`);

    const upload = session.request({ ':method': 'POST' }, { endStream: false });

    expect((await finished.at('')).hasEnded).toBe(true);
    upload.close();
    session.destroy();
  });

  test.each(['HEAD', 'GET'])('a %s request that was answered has ended', async (method) => {
    let scope!: CallContextScope;
    const closed = new Gates();
    await using app = await APPS['node:http2']((_req, res) => {
      scope = surroundingScope()!;
      res.on('close', () => closed.open(''));
      return 'done';
    });
    const session = connectHttp2(`http://127.0.0.1:${app.port}`);
    session.request({ ':method': method }).resume();
    await closed.at('');

    expect([scope.hasEnded, scope.isCancelled]).toEqual([true, false]);
    session.destroy();
  });
});

describe.each(['http/1.1', 'h2'] as const)('%s', (protocol) => {
  const start = (handle: (req: HttpRequest, res: HttpResponse) => unknown) => {
    const listener = (req: HttpRequest, res: HttpResponse): void => void handle(req, res);
    return listening(protocol === 'h2' ? createHttp2Server(listener) : createServer(listener), protocol);
  };

  test('a client that left before the middleware ran has a cancelled context', async () => {
    const gates = new Gates<unknown>();
    const middleware = callContextMiddleware();
    await using app = await start(async (req, res) => {
      gates.open('arrived', undefined);
      await once(res, 'close');
      middleware(req, res, () =>
        gates.open(
          'error',
          hop.call(`late/${protocol}`).catch((error: unknown) => error),
        ),
      );
    });

    const sent = get(app, '/');
    await gates.at('arrived');
    sent.abort();

    expect(await gates.at('error')).toEqual(CANCELLED);
    expect(hop.leaf.arrivals(`late/${protocol}`)).toBe(0);
  });

  test('a response that was finished before the middleware ran has a context that has ended', async () => {
    const gates = new Gates<unknown>();
    const middleware = callContextMiddleware();
    await using app = await start(async (req, res) => {
      res.end();
      await once(res, 'close');
      middleware(req, res, () => {
        try {
          hop.call('never').catch(() => {});
        } catch (error) {
          gates.open('error', error);
        }
      });
    });

    await get(app, '/').answer;

    expect(await gates.at('error')).toBeInstanceOf(CallContextNotFoundError);
  });

  test('a second middleware opens a context inside the first, and both end with the response', async () => {
    const scopes: CallContextScope[] = [];
    const gates = new Gates();
    const [outer, inner] = [callContextMiddleware({ timeoutMs: 60_000 }), callContextMiddleware({ timeoutMs: 30_000 })];
    await using app = await start((req, res) =>
      outer(req, res, () => {
        scopes.push(surroundingScope()!);
        inner(req, res, () => {
          scopes.push(surroundingScope()!);
          res.on('close', () => gates.open('closed'));
          res.end();
        });
      }),
    );

    await get(app, '/').answer;
    await gates.at('closed');

    expect(scopes[1]!.parent).toBe(scopes[0]);
    expect(scopes[1]!.deadline).toBeLessThan(scopes[0]!.deadline);
    expect(scopes.map((scope) => [scope.hasEnded, scope.subscriberCount])).toEqual([
      [true, 0],
      [true, 0],
    ]);
  });

  test('a client that leaves about when the deadline comes that it asked for has run into it', async () => {
    const gates = new Gates<CallContextScope>();
    const middleware = callContextMiddleware({ timeoutHeader: 'x-timeout', timeoutMs: 60_000 });
    await using app = await start((req, res) =>
      middleware(req, res, () => {
        const scope = surroundingScope()!;
        res.on('close', () => gates.open(`closed ${req.url}`, scope));
        gates.open(`arrived ${req.url}`, scope);
      }),
    );

    const codes = ['/in-time', '/near-the-deadline'].map(async (path) => {
      const sent = get(app, path, { 'x-timeout': path === '/in-time' ? '50000' : '249' });
      await gates.at(`arrived ${path}`);
      sent.abort();
      return (await gates.at(`closed ${path}`)).cancellationCode;
    });

    expect(await Promise.all(codes)).toEqual([1, 4]);
  });

  test('a client that leaves before a deadline that it did not ask for has left', async () => {
    const gates = new Gates<CallContextScope>();
    const middleware = callContextMiddleware({ timeoutHeader: 'x-timeout', timeoutMs: 249 });
    let wasInTime = false;
    await using app = await start((req, res) =>
      middleware(req, res, () => {
        const scope = surroundingScope()!;
        res.on('close', () => {
          wasInTime = Date.now() < scope.deadline;
          gates.open('closed', scope);
        });
        gates.open('arrived', scope);
      }),
    );

    const sent = get(app, '/', { 'x-timeout': '50000' });
    await gates.at('arrived');
    sent.abort();

    const { cancellationCode } = await gates.at('closed');
    // On a machine that takes a quarter of a second for this it is the deadline.
    expect(cancellationCode).toBe(wasInTime ? 1 : 4);
  });

  test('a client that leaves while the answer is on its way has not got it', async () => {
    const gates = new Gates<CallContextScope>();
    const middleware = callContextMiddleware();
    await using app = await start((req, res) =>
      middleware(req, res, () => {
        const scope = surroundingScope()!;
        res.on('close', () => gates.open('closed', scope));
        // more than the buffers of two sockets hold
        (res as ServerResponse).end(Buffer.alloc(50_000_000));
        gates.open('ended', scope);
      }),
    );

    const sent = get(app, '/');
    await gates.at('ended');
    sent.abort();

    expect((await gates.at('closed')).reason).toEqual(CANCELLED);
  });
});
