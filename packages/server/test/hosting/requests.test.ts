import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setImmediate as turnOfEventLoop } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Metadata, status } from '@grpc/grpc-js';
import { currentServerCallContext } from '@grpc-di/server';
import { type RelayReply, RelayRequest, startTcpProxy } from '@grpc-di/test-rig';
import { describe, expect, test } from '@jest/globals';
import { REQUEST, startCall } from '../bare-call.js';
import { type HostedCall, relayOf, reply, startHostedRelay, WITH_AND_WITHOUT_INTERCEPTOR } from '../hosted-relay.js';
import { Deferred } from '../waiting.js';

const fixture = fileURLToPath(new URL('./fixtures/cancelling-client.js', import.meta.url));

const requestsNamed = (...ids: string[]): RelayRequest[] => ids.map((id) => RelayRequest.fromPartial({ id }));

describe.each(WITH_AND_WITHOUT_INTERCEPTOR)('%s', (_, interceptors) => {
  describe.each(['clientStream', 'bidi'] as const)('a %s method', (kind) => {
    /** What a call with these requests is answered. */
    async function answered(
      method: (call: HostedCall) => AsyncIterable<RelayReply>,
      ids: string[],
      keepsUploading = false,
    ): Promise<string> {
      await using relay = await startHostedRelay(relayOf(method), { interceptors: interceptors() });
      const call = startCall(relay.client, kind, { requests: requestsNamed(...ids), keepsUploading });
      expect((await call.status).code).toBe(status.OK);
      return call.replies.map(({ text }) => text).join(' ');
    }

    test('loops over all requests, in order, and then answers', async () => {
      const ids = Array.from({ length: 1_000 }, (_value, i) => `r${i}`);

      const answer = await answered(async function* ({ requests }) {
        const got: string[] = [];
        for await (const { id } of requests) {
          got.push(id);
        }
        yield reply(got.join());
      }, ids);

      expect(answer).toBe(ids.join());
    });

    test('loops over no requests at all', async () => {
      const answer = await answered(async function* ({ requests }) {
        for await (const { id } of requests) {
          yield reply(id);
        }
        yield reply('none');
      }, []);

      expect(answer).toBe('none');
    });

    test.each([
      ['that the client has ended', false],
      ['that the client keeps open', true],
    ])('may leave the loop over an upload %s, and then answer', async (_name, keepsUploading) => {
      const answer = await answered(
        async function* ({ requests }) {
          for await (const { id } of requests) {
            if (id === 'b') {
              break;
            }
          }
          await turnOfEventLoop();
          yield reply('enough');
        },
        ['a', 'b', 'c'],
        keepsUploading,
      );

      expect(answer).toBe('enough');
    });

    test('may answer without looking at the requests', async () => {
      const answer = await answered(
        async function* () {
          yield reply('no need');
        },
        ['a', 'b'],
        true,
      );

      expect(answer).toBe('no need');
    });

    test('goes on in a second loop where it left the first', async () => {
      const answer = await answered(
        async function* ({ requests }) {
          const got: string[] = [];
          for await (const { id } of requests) {
            got.push(`first ${id}`);
            break;
          }
          await turnOfEventLoop();
          for await (const { id } of requests) {
            got.push(id);
          }
          for await (const { id } of requests) {
            got.push(`too many ${id}`);
          }
          yield reply(got.join());
        },
        ['a', 'b', 'c'],
      );

      expect(answer).toBe('first a,b,c');
    });

    test('that throws inside the loop ends the call with its error', async () => {
      const Relay = relayOf(async function* ({ requests }) {
        for await (const { id } of requests) {
          throw Object.assign(new Error(), { code: status.INVALID_ARGUMENT, details: `not ${id}` });
        }
        yield reply();
      });
      await using relay = await startHostedRelay(Relay, { interceptors: interceptors() });

      expect(await startCall(relay.client, kind, { keepsUploading: true }).status).toMatchObject({
        code: status.INVALID_ARGUMENT,
        details: 'not request',
      });
    });

    test('finds its context in every turn of the loop', async () => {
      const answer = await answered(
        async function* ({ requests, context }) {
          const found = new Set<boolean>();
          for await (const _request of requests) {
            found.add(currentServerCallContext() === context);
          }
          found.add(currentServerCallContext() === context);
          yield reply([...found].join());
        },
        ['a', 'b', 'c'],
      );

      expect(answer).toBe('true');
    });

    test('is cancelled by a request that is too large', async () => {
      const outcome = new Deferred<unknown>();
      const Relay = relayOf(async function* ({ requests }) {
        outcome.resolve(await outcomeOf(requests));
        yield reply();
      });
      await using relay = await startHostedRelay(Relay, { interceptors: interceptors() });
      const call = startCall(relay.client, kind, {
        requests: [{ ...REQUEST, id: 'x'.repeat(5 << 20) }], // beyond the 4 MB that a server takes by default
        keepsUploading: true,
      });

      expect((await call.status).code).toBe(status.RESOURCE_EXHAUSTED);
      expect(await outcome.promise).toBe('CallCancelledError');
    });

    // 'end' comes before 'cancelled' here, and how close they are depends on what is buffered where.
    describe('never takes a cut upload for a whole one', () => {
      const ROUNDS = 10;
      const AT_ONCE = 20;

      test.each<[string, number, number]>([
        ['with nothing buffered', 1, 0],
        ['with messages buffered', 40, 0],
        ['with messages buffered, and a slow method', 40, 3],
      ])('%s', async (_name, messages, turns) => {
        const started: Deferred[] = [];
        const outcomes: Deferred<string>[] = [];
        const Relay = relayOf(async function* ({ requests, context }) {
          const i = Number(context.requestMetadata.get('x-index')[0]);
          outcomes[i]!.resolve(await outcomeOf(requests, turns, () => started[i]!.resolve()));
          yield reply();
        });
        await using relay = await startHostedRelay(Relay, { interceptors: interceptors() });
        await using proxy = await startTcpProxy(relay.port);
        const proxied = await relay.connect(proxy.address);
        const upload = Array.from({ length: messages }, () => REQUEST);

        for (let round = 0; round < ROUNDS; round++) {
          const cutsConnection = round % 2 === 1;
          const calls = Array.from({ length: AT_ONCE }, () => {
            const metadata = new Metadata();
            metadata.set('x-index', String(outcomes.length));
            started.push(new Deferred());
            outcomes.push(new Deferred());
            return startCall(cutsConnection ? proxied : relay.client, kind, {
              requests: upload,
              keepsUploading: true,
              metadata,
            });
          });
          await Promise.all(started.map(({ promise }) => promise));
          if (cutsConnection) {
            proxy.cut();
          } else {
            for (const call of calls) {
              call.cancel();
            }
          }
          await Promise.all(calls.map((call) => call.status));
        }

        const seen = new Set(await Promise.all(outcomes.map(({ promise }) => promise)));
        expect(outcomes).toHaveLength(ROUNDS * AT_ONCE);
        expect([...seen]).toEqual(['CallCancelledError']);
      });

      // There the reset comes in a packet of its own, after the end of the stream.
      test.each([
        ['one after the other', 100, 1],
        ['many at once', 20, 50],
      ])(
        'of a client in another process, %s',
        async (_name, rounds, atOnce) => {
          const outcomes = Array.from({ length: rounds * atOnce }, () => new Deferred<string>());
          const started = Array.from({ length: rounds * atOnce }, () => new Deferred());
          const Relay = relayOf(async function* ({ requests, context }) {
            const i = Number(context.requestMetadata.get('x-index')[0]);
            outcomes[i]!.resolve(await outcomeOf(requests, 0, () => started[i]!.resolve()));
            yield reply();
          });
          await using relay = await startHostedRelay(Relay, { interceptors: interceptors() });
          const client = fork(fixture, [relay.address, kind, String(rounds), String(atOnce)]);

          for (let round = 0; round < rounds; round++) {
            await Promise.all(started.slice(round * atOnce, (round + 1) * atOnce).map(({ promise }) => promise));
            client.send('cancel');
          }
          const [exitCode] = await once(client, 'exit');

          expect(exitCode).toBe(0);
          const seen = await Promise.all(outcomes.map(({ promise }) => promise));
          expect(seen.filter((outcome) => outcome !== 'CallCancelledError')).toEqual([]);
        },
        60_000,
      );
    });
  });

  test('a bidi method may write while it reads', async () => {
    const Relay = relayOf(async function* ({ requests }) {
      for await (const { id } of requests) {
        yield reply(`${id}!`);
      }
    });
    await using relay = await startHostedRelay(Relay, { interceptors: interceptors() });
    const call = startCall(relay.client, 'bidi', { requests: [], keepsUploading: true });

    for (const id of ['a', 'b', 'c']) {
      call.upload.write(RelayRequest.fromPartial({ id }));
      await once(call.download, 'data');
    }
    call.upload.end();

    expect((await call.status).code).toBe(status.OK);
    expect(call.replies.map(({ text }) => text)).toEqual(['a!', 'b!', 'c!']);
  });
});

describe('a method whose client ends the upload, and then hears nothing any more', () => {
  /** How the method's loop ends, and after how many ms. */
  async function loopOver(timeoutMs: number): Promise<{ outcome: string; tookMs: number }> {
    const started = new Deferred();
    const outcome = new Deferred<string>();
    const Relay = relayOf(async function* ({ requests }) {
      outcome.resolve(await outcomeOf(requests, 0, started.resolve));
      yield reply();
    });
    await using relay = await startHostedRelay(Relay);
    await using proxy = await startTcpProxy(relay.port);
    const client = await relay.connect(proxy.address);
    const call = startCall(client, 'bidi', { keepsUploading: true, deadline: Date.now() + timeoutMs });
    await started.promise;

    proxy.stallReplies();
    call.upload.end();
    const endedAt = performance.now();

    return { outcome: await outcome.promise, tookMs: performance.now() - endedAt };
  }

  test('goes on after some seconds', async () => {
    expect((await loopOver(60_000)).outcome).toBe('normally');
  }, 30_000);

  test('is cancelled by its deadline before that', async () => {
    const { outcome, tookMs } = await loopOver(1_000);
    expect(outcome).toBe('CallCancelledError');
    expect(tookMs).toBeLessThan(4_000); // the wait for the client is 5 s
  });
});

/** How a loop over the requests ended: the error's name, or 'normally'. */
async function outcomeOf(
  requests: AsyncIterable<unknown>,
  turnsPerRequest = 0,
  onFirst: () => void = () => {},
): Promise<string> {
  try {
    for await (const _request of requests) {
      onFirst();
      for (let turn = 0; turn < turnsPerRequest; turn++) {
        await turnOfEventLoop();
      }
    }
    return 'normally';
  } catch (error) {
    return (error as Error).name;
  }
}
