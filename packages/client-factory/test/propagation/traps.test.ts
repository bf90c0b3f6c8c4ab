import 'reflect-metadata';
import { once } from 'node:events';
import { connectivityState, credentials, InterceptingCall, type Interceptor, Metadata, status } from '@grpc/grpc-js';
import {
  createGrpcClient,
  type GrpcClient,
  GrpcClientFactory,
  getGrpcClient,
  runInCallContext,
} from '@grpc-di/client-factory';
import { CALL_KINDS, CASE_KEY, type CallKind, LeafClient, type RunningLeaf, startLeaf } from '@grpc-di/test-rig';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Container } from 'inversify';
import { REQUEST } from './front-server.js';

// What grpc-js does wrong by itself and a client of the factory does right. Each test looks at both, so that it says
// so when grpc-js changes. Traps that take the process down or need a heap of its own are in traps-in-child-processes.test.ts.

let leaf: RunningLeaf;
let container: Container;
let ours: GrpcClient<LeafClient>;
let bare: LeafClient;

beforeAll(async () => {
  leaf = await startLeaf();
  container = new Container();
  createGrpcClient(container, LeafClient, {
    address: leaf.address,
    enableCallContextPropagation: { onContextNotFound: 'ignore' },
  });
  ours = getGrpcClient(container, LeafClient);
  bare = new LeafClient(leaf.address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
  await Promise.all([answered(ours, 'warm/ours'), answered(bare, 'warm/bare')]);
});

afterAll(async () => {
  bare.close();
  await container.get(GrpcClientFactory).close({ cancelCalls: true });
  await leaf[Symbol.asyncDispose]();
});

function caseMetadata(caseId: string): Metadata {
  const metadata = new Metadata();
  metadata.set(CASE_KEY, caseId);
  return metadata;
}

/** A call from start to answer: what was sent on this client's connection before it has arrived then. */
async function answered(client: LeafClient, caseId: string): Promise<void> {
  const done = new Promise<void>((resolve, reject) => {
    client.unary(REQUEST, caseMetadata(caseId), (error) => (error === null ? resolve() : reject(error)));
  });
  (await leaf.arrived(caseId)).answer();
  await done;
}

/** Starts a call in grpc-js's own form, which bare clients and ours have in common. */
function start(client: LeafClient, kind: CallKind, caseId: string, options: { deadline?: number | Date } = {}) {
  const metadata = caseMetadata(caseId);
  const call = {
    unary: () => client.unary(REQUEST, metadata, options, () => {}),
    serverStream: () => client.serverStream(REQUEST, metadata, options).resume(),
    clientStream: () => client.clientStream(metadata, options, () => {}),
    bidi: () => client.bidi(metadata, options).resume(),
  }[kind]();
  call.on('error', () => {});
  const ended = new Promise<status>((resolve) => {
    call.on('status', ({ code }) => resolve(code));
  });
  return { cancel: () => call.cancel(), ended };
}

describe('a call that is cancelled in the tick in which it was started', () => {
  const WHEN = {
    'at once': (cancel: () => void) => cancel(),
    'in a microtask': (cancel: () => void) => queueMicrotask(cancel),
    'on next tick': (cancel: () => void) => process.nextTick(cancel),
  };

  async function runsOnAtTheServer(
    client: LeafClient,
    kind: CallKind,
    when: keyof typeof WHEN,
    caseId: string,
  ): Promise<boolean> {
    const call = start(client, kind, caseId);
    WHEN[when](call.cancel);
    expect(await call.ended).toBe(status.CANCELLED);
    await answered(client, `after/${caseId}`);
    // The answer came after whatever the server heard of the first call; its events have run by the next round trip.
    await answered(client, `settled/${caseId}`);
    return leaf.arrivals(caseId) > 0 && !(await leaf.arrived(caseId)).isOver;
  }

  test.each(
    CALL_KINDS.flatMap((kind) => (Object.keys(WHEN) as Array<keyof typeof WHEN>).map((when) => [kind, when] as const)),
  )('never runs on at the server: %s, %s', async (kind, when) => {
    expect(await runsOnAtTheServer(ours, kind, when, `zombie/ours/${kind}/${when}`)).toBe(false);
  });

  test('runs on for ever with grpc-js alone', async () => {
    expect(await runsOnAtTheServer(bare, 'unary', 'at once', 'zombie/bare')).toBe(true);
  });

  test.each(CALL_KINDS)('never runs on at the server on a channel that is not connected yet: %s', async (kind) => {
    const coldContainer = new Container();
    createGrpcClient(coldContainer, LeafClient, {
      address: leaf.address,
      channelOptions: { 'grpc.use_local_subchannel_pool': 1 },
    });
    await using factory = coldContainer.get(GrpcClientFactory);
    const cold = getGrpcClient(coldContainer, LeafClient);
    expect(await runsOnAtTheServer(cold, kind, 'at once', `zombie/cold/${kind}`)).toBe(false);
    expect(factory).toBeDefined();
  });
});

describe('a call whose deadline is past on a connected channel', () => {
  async function arrivals(client: LeafClient, kind: CallKind, caseId: string): Promise<number> {
    expect(await start(client, kind, caseId, { deadline: Date.now() - 1 }).ended).toBe(status.DEADLINE_EXCEEDED);
    await answered(client, `after/${caseId}`);
    return leaf.arrivals(caseId);
  }

  test.each(CALL_KINDS)('never reaches the server: %s', async (kind) => {
    expect(await arrivals(ours, kind, `past/ours/${kind}`)).toBe(0);
  });

  test('reaches it with grpc-js alone', async () => {
    expect(await arrivals(bare, 'unary', 'past/bare')).toBe(1);
  });
});

describe('deadlines out of the ordinary', () => {
  const DAY_MS = 86_400_000;

  test.each([
    ['NaN', NaN],
    ['an invalid Date', new Date(NaN)],
  ])('%s is a TypeError at the call site, for every kind', (_name, deadline) => {
    for (const kind of CALL_KINDS) {
      expect(() => start(ours, kind, 'never', { deadline })).toThrow(TypeError);
      expect(() => start(ours, kind, 'never', { deadline })).toThrow(/deadline must be a valid Date/);
    }
    expect(leaf.arrivals('never')).toBe(0);
  });

  test.each([
    ['30 days', () => Date.now() + 30 * DAY_MS],
    ['24.9 days', () => Date.now() + 24.9 * DAY_MS],
    ['the last millisecond of a Node timer', () => Date.now() + 2 ** 31 - 1],
    ['10^9 hours', () => Date.now() + 1e9 * 3_600_000],
    ['Number.MAX_SAFE_INTEGER', () => Number.MAX_SAFE_INTEGER],
    ['Infinity', () => Infinity],
  ])('%s neither expires nor crashes', async (name, deadline) => {
    const call = start(ours, 'unary', `far/${name}`, { deadline: deadline() });
    const arrival = await leaf.arrived(`far/${name}`);
    arrival.answer();
    expect(await call.ended).toBe(status.OK);
  });

  test('30 days expire at once with grpc-js alone', async () => {
    const call = start(bare, 'unary', 'far/bare', { deadline: Date.now() + 30 * DAY_MS });
    expect(await call.ended).toBe(status.DEADLINE_EXCEEDED);
  });

  test('a parent 30 days from its deadline passes none on that expires early', async () => {
    const ended = await runInCallContext({ timeoutMs: 30 * DAY_MS }, async () => {
      const call = start(ours, 'unary', 'far/parent');
      (await leaf.arrived('far/parent')).answer();
      return call.ended;
    });
    expect(ended).toBe(status.OK);
  });
});

describe("a call's own interceptors", () => {
  const passThrough: Interceptor = (options, nextCall) => new InterceptingCall(nextCall(options));

  test('do not switch propagation off', async () => {
    const call = runInCallContext({ timeoutMs: 60_000 }, () =>
      ours.unary(REQUEST, { metadata: caseMetadata('interceptors/ours'), interceptors: [passThrough] }),
    );
    const arrival = await leaf.arrived('interceptors/ours');
    expect(arrival.deadline).toBeLessThan(Infinity);
    arrival.answer();
    await call;
  });

  test('switch interceptors of the client off with grpc-js alone', async () => {
    const withDeadline: Interceptor = (options, nextCall) =>
      new InterceptingCall(nextCall({ ...options, deadline: Date.now() + 60_000 }));
    const client = new LeafClient(leaf.address, credentials.createInsecure(), { interceptors: [withDeadline] });
    client.unary(REQUEST, caseMetadata('interceptors/bare'), { interceptors: [passThrough] }, () => {});
    const arrival = await leaf.arrived('interceptors/bare');
    expect(arrival.deadline).toBe(Infinity);
    arrival.answer();
    client.close();
  });
});

describe('a closed client', () => {
  test('stays closed, whoever waits for it', async () => {
    const closing = getGrpcClient(container, LeafClient);
    closing.close();

    await expect(readiness(closing)).resolves.toMatch(/closed/);
    expect(closing.getChannel().getConnectivityState(true)).toBe(connectivityState.SHUTDOWN);
    await expect(closing.unary(REQUEST)).rejects.toMatchObject({
      code: status.UNAVAILABLE,
      details: expect.stringContaining('its close() was called'),
    });
    await answered(ours, 'closed/others-go-on');
  });

  test('opens again with grpc-js alone', async () => {
    const closing = new LeafClient(leaf.address, credentials.createInsecure());
    closing.close();
    expect(await readiness(closing)).toBe('ready');
    closing.close();
  });

  function readiness(client: LeafClient): Promise<string> {
    return new Promise((resolve) => {
      client.waitForReady(Date.now() + 10_000, (error) => resolve(error?.message ?? 'ready'));
    });
  }
});

describe('a parent that is cancelled while its child waits', () => {
  test('for a connection ends the child promptly', async () => {
    const { createServer } = await import('node:net');
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as { port: number };
    const waitingContainer = new Container();
    createGrpcClient(waitingContainer, LeafClient, {
      address: `127.0.0.1:${port}`,
      enableCallContextPropagation: true,
    });
    const waiting = getGrpcClient(waitingContainer, LeafClient);
    const parent = new AbortController();

    const call = runInCallContext({ signal: parent.signal }, () => waiting.unary(REQUEST, { waitForReady: true }));
    parent.abort('gone');

    await expect(call).rejects.toMatchObject({
      code: status.CANCELLED,
      cause: { name: 'CallCancelledError', code: 1 },
    });
    await waitingContainer.get(GrpcClientFactory).close();
    silent.close();
  });
});
