import 'reflect-metadata';
import { Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { status } from '@grpc/grpc-js';
import type { DuplexStreamingCall, GrpcClient, ServerStreamingCall } from '@grpc-di/client-factory';
import { CALL_KINDS, CASE_KEY, type CallKind, type LeafClient, type RunningLeaf, startLeaf } from '@grpc-di/test-rig';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  type ConnectedClient,
  caseName,
  connect,
  errorOf,
  first,
  messagesOf,
  REPLY,
  REQUEST,
  type StartedCall,
  start,
} from './served-calls.js';

let leaf: RunningLeaf;
let connected: ConnectedClient;
let client: GrpcClient<LeafClient>;

beforeAll(async () => {
  leaf = await startLeaf();
  connected = connect(leaf.address);
  client = connected.client;
});

afterAll(async () => {
  await connected[Symbol.asyncDispose]();
  await leaf[Symbol.asyncDispose]();
});

function startCase(kind: CallKind): { call: StartedCall; caseId: string } {
  const caseId = caseName();
  return { call: start(client, kind, { metadata: { [CASE_KEY]: caseId } }), caseId };
}

describe.each(CALL_KINDS)('%s', (kind) => {
  test('cancel(reason) ends the call with CANCELLED; the reason is the cause, and the server sees it', async () => {
    const { call, caseId } = startCase(kind);
    const outcome = errorOf(call);
    const arrival = await leaf.arrived(caseId);
    const reason = new Error('the user left');

    call.cancel(reason);

    const error = await outcome;
    expect(error.code).toBe(status.CANCELLED);
    expect(error.message).toBe('1 CANCELLED: Cancelled on client');
    expect(error.cause).toBe(reason);
    await arrival.cancelled;
  });

  test('cancel() without a reason has no cause', async () => {
    const { call, caseId } = startCase(kind);
    const outcome = errorOf(call);
    await leaf.arrived(caseId);

    call.cancel();
    call.cancel('too late to be the reason');

    const error = await outcome;
    expect(error.code).toBe(status.CANCELLED);
    expect(error.cause).toBeUndefined();
    expect('cause' in error).toBe(false);
  });

  test('cancel() in the tick of the start lets nothing run on at the server', async () => {
    const { call, caseId } = startCase(kind);

    call.cancel('at once');

    expect(await errorOf(call)).toMatchObject({ code: status.CANCELLED, cause: 'at once' });
    // Whatever was sent has arrived when a later call has.
    const later = startCase('unary');
    (await leaf.arrived(later.caseId)).answer();
    await messagesOf(later.call);
    if (leaf.arrivals(caseId) > 0) {
      await (await leaf.arrived(caseId)).cancelled;
    }
  });

  test('cancel() after the end does nothing', async () => {
    const { call, caseId } = startCase(kind);
    (await leaf.arrived(caseId)).answer();
    const messages = await messagesOf(call);

    call.cancel('too late');
    call[Symbol.dispose]();

    expect(messages).toEqual([REPLY]);
    expect((await call.status).code).toBe(status.OK);
    if (!(Symbol.asyncIterator in call)) {
      expect(await call).toEqual(REPLY);
    }
  });

  test('cancel() after a failure does not change the error', async () => {
    const { call, caseId } = startCase(kind);
    const outcome = errorOf(call);
    (await leaf.arrived(caseId)).fail(status.ABORTED, 'no');
    const error = await outcome;

    call.cancel('too late');

    expect(error.code).toBe(status.ABORTED);
    expect(error.cause).toBeUndefined();
    expect((await call.status).code).toBe(status.ABORTED);
    expect(await errorOf(call)).toBe(error);
  });

  test('leaving a block with `using` cancels a call that still runs', async () => {
    const caseId = caseName();
    let ended: Promise<{ code: status }>;
    {
      using call = start(client, kind, { metadata: { [CASE_KEY]: caseId } });
      ended = call.status;
      await leaf.arrived(caseId);
    }

    expect((await ended).code).toBe(status.CANCELLED);
    await (await leaf.arrived(caseId)).cancelled;
  });

  test('leaving a block with `using` leaves a finished call alone', async () => {
    const caseId = caseName();
    let ended: Promise<{ code: status }>;
    {
      using call = start(client, kind, { metadata: { [CASE_KEY]: caseId } });
      ended = call.status;
      (await leaf.arrived(caseId)).answer();
      await messagesOf(call);
    }

    expect((await ended).code).toBe(status.OK);
  });

  test('siblings go on', async () => {
    const sibling = startCase(kind);
    const outcome = messagesOf(sibling.call);
    await leaf.arrived(sibling.caseId);
    const { call } = startCase(kind);

    call.cancel();

    expect((await call.status).code).toBe(status.CANCELLED);
    const arrival = await leaf.arrived(sibling.caseId);
    expect(arrival.isOver).toBe(false);
    arrival.answer();
    expect(await outcome).toEqual([REPLY]);
  });
});

const STREAMED = ['serverStream', 'bidi'] as const satisfies readonly CallKind[];

type Stream = ServerStreamingCall<unknown> | DuplexStreamingCall<unknown, unknown>;

describe.each(STREAMED)('%s as a stream', (kind) => {
  function startStream(): { call: Stream; caseId: string } {
    return startCase(kind) as unknown as { call: Stream; caseId: string };
  }

  test('`await using` waits for the status', async () => {
    const caseId = caseName();
    let ended: { code: status } | undefined;
    {
      await using call = start(client, kind, { metadata: { [CASE_KEY]: caseId } }) as unknown as Stream;
      void call.status.then((received) => {
        ended = received;
      });
      await leaf.arrived(caseId);
    }

    expect(ended?.code).toBe(status.CANCELLED);
    await (await leaf.arrived(caseId)).cancelled;
  });

  test('`await using` leaves a call that was read to its end alone', async () => {
    const { call, caseId } = startStream();
    (await leaf.arrived(caseId)).answer();
    await messagesOf(call as StartedCall);

    await call[Symbol.asyncDispose]();

    expect((await call.status).code).toBe(status.OK);
  });

  test('destroy() cancels the call', async () => {
    const { call, caseId } = startStream();
    const arrival = await leaf.arrived(caseId);

    call.destroy();

    expect((await call.status).code).toBe(status.CANCELLED);
    await arrival.cancelled;
  });

  test('destroy(error) cancels the call for that reason', async () => {
    const { call, caseId } = startStream();
    await leaf.arrived(caseId);
    const reason = new Error('enough');

    call.destroy(reason);

    expect(await call.status).toMatchObject({ code: status.CANCELLED, cause: reason });
  });

  test("destroy(error) emits 'error' once, and with that error, like any stream", async () => {
    const { call, caseId } = startStream();
    const errors: unknown[] = [];
    call.on('error', (error) => errors.push(error));
    const closed = first(call, 'close');
    await leaf.arrived(caseId);
    const reason = new Error('enough');

    call.destroy(reason);

    await Promise.all([closed, call.status]);
    await new Promise(setImmediate);
    expect(errors).toEqual([reason]);
  });

  test('destroy() under a running loop makes the loop throw: it did not see the end', async () => {
    const { call, caseId } = startStream();
    const outcome = errorOf(call as StartedCall);
    const arrival = await leaf.arrived(caseId);

    call.destroy();

    expect((await outcome).code).toBe(status.CANCELLED);
    await arrival.cancelled;
  });

  test('destroy(error) under a running loop makes the loop throw that error, like any stream', async () => {
    const { call, caseId } = startStream();
    const outcome = errorOf(call as StartedCall);
    await leaf.arrived(caseId);
    const reason = new Error('enough');

    call.destroy(reason);

    expect(await outcome).toBe(reason);
    expect(await call.status).toMatchObject({ code: status.CANCELLED, cause: reason });
  });

  test.each(['destroy', 'cancel'] as const)('a loop that starts right after %s() throws', async (method) => {
    const { call, caseId } = startStream();
    await leaf.arrived(caseId);

    call[method]();

    expect((await errorOf(call as StartedCall)).code).toBe(status.CANCELLED);
  });

  test('cancel() under a running loop makes the loop throw', async () => {
    const { call, caseId } = startStream();
    const outcome = errorOf(call as StartedCall);
    await leaf.arrived(caseId);

    call.cancel('enough');

    expect(await outcome).toMatchObject({ code: status.CANCELLED, cause: 'enough' });
  });

  test('a pipeline() that breaks cancels the call', async () => {
    const { call, caseId } = startStream();
    const arrival = await leaf.arrived(caseId);
    const broken = new Writable({
      objectMode: true,
      write(_message, _encoding, written) {
        written(new Error('disk full'));
      },
    });
    const piped = pipeline(call, broken);
    arrival.send(REPLY);

    await expect(piped).rejects.toThrow('disk full');
    expect((await call.status).code).toBe(status.CANCELLED);
    await arrival.cancelled;
  });

  test('a pipeline() of a call that fails rejects with the ServiceError', async () => {
    const { call, caseId } = startStream();
    const piped = pipeline(call, new Writable({ objectMode: true, write: (_m, _e, written) => written() }));
    (await leaf.arrived(caseId)).fail(status.ABORTED, 'no');

    await expect(piped).rejects.toMatchObject({ code: status.ABORTED });
  });

  test('a pipeline() of a call that succeeds resolves', async () => {
    const { call, caseId } = startStream();
    const received: unknown[] = [];
    const piped = pipeline(
      call,
      new Writable({
        objectMode: true,
        write(message, _encoding, written) {
          received.push(message);
          written();
        },
      }),
    );
    (await leaf.arrived(caseId)).answer();

    await piped;
    expect(received).toEqual([REPLY]);
    expect((await call.status).code).toBe(status.OK);
  });

  test('an abort of a pipeline() cancels the call', async () => {
    const { call, caseId } = startStream();
    const arrival = await leaf.arrived(caseId);
    const controller = new AbortController();
    const piped = pipeline(call, new Writable({ objectMode: true }), { signal: controller.signal });

    controller.abort();

    await expect(piped).rejects.toMatchObject({ name: 'AbortError' });
    expect((await call.status).code).toBe(status.CANCELLED);
    await arrival.cancelled;
  });

  test("finished() of node:stream sees the call's failure", async () => {
    const { call, caseId } = startStream();
    const done = finished(call, { writable: false });
    call.resume();
    (await leaf.arrived(caseId)).fail(status.ABORTED, 'no');

    await expect(done).rejects.toMatchObject({ code: status.ABORTED });
  });

  test('a stream that was read to its end closes without cancelling', async () => {
    const { call, caseId } = startStream();
    const closed = kind === 'serverStream' ? first(call, 'close') : Promise.resolve();
    (await leaf.arrived(caseId)).answer();

    await messagesOf(call as StartedCall);
    await closed;

    expect((await call.status).code).toBe(status.OK);
  });
});

test('a client streaming call that writes by hand is cancelled too', async () => {
  const caseId = caseName();
  const call = client.clientStream(undefined, { metadata: { [CASE_KEY]: caseId } });
  await call.requests.send(REQUEST);
  const arrival = await leaf.arrived(caseId);

  call.cancel('enough');

  await expect(call).rejects.toMatchObject({ code: status.CANCELLED, cause: 'enough' });
  await arrival.cancelled;
});
