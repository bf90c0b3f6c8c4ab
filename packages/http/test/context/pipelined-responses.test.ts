import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type CallContextScope, surroundingScope } from '@grpc-di/call-context/opener';
import { callContextMiddleware } from '@grpc-di/http';
import { expect, jest, test } from '@jest/globals';
import { listening, type RunningApp } from '../apps.js';
import { Gates } from '../gate.js';
import { RawConnection } from '../raw-connection.js';

interface Pipelined {
  readonly res: ServerResponse;
  readonly scope: CallContextScope;
  /** Names of events of the response, with the scope that each was heard in. */
  readonly heard: [string, CallContextScope | undefined][];
}

/** A server whose requests wait for what a test makes of them. */
async function startWaiting(): Promise<{ app: RunningApp; requests: Gates<Pipelined> }> {
  const requests = new Gates<Pipelined>();
  const middleware = callContextMiddleware();
  const server = createServer((req, res) =>
    middleware(req, res, () => {
      const heard: Pipelined['heard'] = [];
      for (const event of ['socket', 'drain', 'finish', 'close']) {
        res.on(event, () => heard.push([event, surroundingScope()]));
      }
      requests.open(req.url!, { res, scope: surroundingScope()!, heard });
    }),
  );
  return { app: await listening(server, 'http/1.1'), requests };
}

test('pipelined requests have a context each, and hear their own events in it', async () => {
  const { app, requests } = await startWaiting();
  await using _app = app;

  const connection = (await RawConnection.to(app)).get('/1', '/2');
  const [first, second] = [await requests.at('/1'), await requests.at('/2')];
  expect(second.scope).not.toBe(first.scope);
  const isSecondClosed = once(second.res, 'close');
  // waits for its turn, with more than a socket takes at once: it will drain
  second.res.write('x'.repeat(100_000));
  second.res.end('second');
  first.res.end('first');
  await connection.until('second');
  await isSecondClosed;

  const names = second.heard.map(([event]) => event);
  expect(names).toEqual(expect.arrayContaining(['socket', 'finish', 'close']));
  expect(new Set(second.heard.map(([, scope]) => scope))).toEqual(new Set([second.scope]));
  expect(new Set(first.heard.map(([, scope]) => scope))).toEqual(new Set([first.scope]));
  expect([first.scope.hasEnded, second.scope.hasEnded]).toEqual([true, true]);
  connection.socket.destroy();
});

test('a client that leaves cancels the requests that wait for their turn as well', async () => {
  const emitWarning = jest.spyOn(process, 'emitWarning');
  const { app, requests } = await startWaiting();
  await using _app = app;
  // more than the listeners that Node allows without a warning
  const paths = Array.from({ length: 15 }, (_, index) => `/${index}`);

  const connection = (await RawConnection.to(app)).get(...paths);
  const pipelined = await Promise.all(paths.map((path) => requests.at(path)));
  const socketClosed = closed(pipelined[0]!.res.socket!);
  connection.socket.destroy();
  await socketClosed;

  expect(pipelined.map(({ scope }) => scope.cancellationCode)).toEqual(paths.map(() => 1));
  expect(emitWarning).not.toHaveBeenCalled();
  emitWarning.mockRestore();
});

test('a pipelined response that was finished stays so when the client leaves', async () => {
  const { app, requests } = await startWaiting();
  await using _app = app;

  const connection = (await RawConnection.to(app)).get('/1', '/2', '/3');
  const [first, second, third] = await Promise.all(['/1', '/2', '/3'].map((path) => requests.at(path)));
  const isSecondClosed = once(second!.res, 'close');
  first!.res.end('first');
  second!.res.end('second');
  await isSecondClosed;
  const socketClosed = closed(third!.res.socket!);
  connection.socket.destroy();
  await socketClosed;

  expect([first, second, third].map((request) => request!.scope.hasEnded)).toEqual([true, true, false]);
  expect(third!.scope.isCancelled).toBe(true);
});

test('a pipelined response that waited for its turn when the client closed its side was not finished', async () => {
  const { app, requests } = await startWaiting();
  await using _app = app;

  const connection = (await RawConnection.to(app)).get('/1', '/2');
  const [first, second] = [await requests.at('/1'), await requests.at('/2')];
  second.res.end('second');
  const socketClosed = closed(first.res.socket!);
  connection.socket.end();
  await socketClosed;

  expect([first.scope.cancellationCode, second.scope.cancellationCode]).toEqual([1, 1]);
});

test('a pipelined request whose client left before the middleware ran has a cancelled context', async () => {
  const gates = new Gates<CallContextScope>();
  const middleware = callContextMiddleware();
  const handle = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    gates.open(`arrived ${req.url}`, undefined as never);
    await closed(req.socket);
    middleware(req, res, () => gates.open(`opened ${req.url}`, surroundingScope()!));
  };
  await using app = await listening(
    createServer((req, res) => void handle(req, res)),
    'http/1.1',
  );

  const connection = (await RawConnection.to(app)).get('/1', '/2');
  await gates.at('arrived /2');
  connection.socket.destroy();

  expect((await gates.at('opened /2')).cancellationCode).toBe(1);
});

/** Not `once`: it rejects when the connection was reset. */
function closed(socket: Socket): Promise<unknown> {
  return new Promise((resolve) => {
    socket.on('close', resolve);
  });
}
