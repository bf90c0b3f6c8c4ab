import { credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { CallCancelledError } from '@grpc-di/call-context';
import { CALL_KINDS, LeafClient, startLeaf } from '@grpc-di/test-rig';
import { describe, expect, test } from '@jest/globals';
import { REQUEST, startCall } from '../bare-call.js';
import { failing, relayOf, reply, startHostedRelay, WITH_AND_WITHOUT_INTERCEPTOR } from '../hosted-relay.js';

const trailers = (value: string): Metadata => {
  const metadata = new Metadata();
  metadata.set('x-trailer', value);
  return metadata;
};

describe.each(WITH_AND_WITHOUT_INTERCEPTOR)('%s', (_, interceptors) => {
  describe.each([
    ['before the first message', false],
    ['after the first message', true],
  ])('%s', (_moment, sendsFirst) => {
    describe.each(CALL_KINDS)('a %s method', (kind) => {
      const throwing = async (error: unknown) => {
        const onErrorGot: unknown[] = [];
        const relay = await startHostedRelay(
          relayOf(async function* ({ context }) {
            context.trailers.set('x-context', 'of the context');
            if (sendsFirst) {
              yield reply();
            }
            throw error;
          }),
          { interceptors: interceptors(), onError: (...args) => onErrorGot.push(args) },
        );
        return { relay, onErrorGot };
      };

      test.each<[string, unknown, Partial<{ code: status; details: string }>]>([
        ['an object with code and details', { code: status.NOT_FOUND, details: 'no such user' }, {}],
        ['an error with code and details', Object.assign(new Error('x'), { code: status.ABORTED, details: 'é %' }), {}],
        ['a call’s cancellation', new CallCancelledError(4, 'too late'), { code: 4, details: 'too late' }],
        [
          'an abort caused by a cancellation',
          Object.assign(new Error('aborted'), { name: 'AbortError', cause: new CallCancelledError(1, 'left') }),
          { code: status.CANCELLED, details: 'left' },
        ],
      ])('that throws %s ends with that status', async (_name, error, expected) => {
        const { relay, onErrorGot } = await throwing(error);
        await using _closing = relay;

        const ended = await startCall(relay.client, kind).status;

        const { code, details } = { ...(error as { code: status; details: string }), ...expected };
        expect([ended.code, ended.details]).toEqual([code, details]);
        expect(ended.metadata.get('x-context')).toEqual(['of the context']);
        expect(onErrorGot).toEqual([]);
      });

      test('that throws metadata too sends it, and leaves it as it was', async () => {
        const metadata = trailers('of the error');
        const { relay } = await throwing({ code: status.NOT_FOUND, details: '', metadata });
        await using _closing = relay;

        const ended = await startCall(relay.client, kind).status;

        expect(ended.code).toBe(status.NOT_FOUND);
        expect(ended.metadata.get('x-trailer')).toEqual(['of the error']);
        expect(ended.metadata.get('x-context')).toEqual(['of the context']);
        expect(metadata.getMap()).toEqual(trailers('of the error').getMap());
      });

      test.each<[string, unknown]>([
        ['an error', new Error('secret')],
        ['nothing', undefined],
        ['a text', 'secret'],
        ['code 0', { code: status.OK, details: 'secret' }],
        ['a code that is none of gRPC’s', { code: 99, details: 'secret' }],
        ['a fraction of a code', { code: 2.5, details: 'secret' }],
        ['the name of a code', { code: 'NOT_FOUND', details: 'secret' }],
        ['a code without details', Object.assign(new Error('secret'), { code: status.NOT_FOUND })],
        ['a system error', Object.assign(new Error('secret'), { code: 'ENOENT', details: 'secret' })],
        ['a DOMException', new DOMException('secret', 'NotFoundError')],
      ])('that throws %s ends with UNKNOWN, and onError hears of it', async (_name, error) => {
        const { relay, onErrorGot } = await throwing(error);
        await using _closing = relay;

        const ended = await startCall(relay.client, kind).status;

        expect([ended.code, ended.details]).toEqual([status.UNKNOWN, 'Unknown error']);
        expect(JSON.stringify(ended.metadata)).not.toContain('secret');
        expect(onErrorGot).toEqual([
          [
            error,
            expect.objectContaining({
              method: `/grpc_di.test.v1.Relay/${kind.charAt(0).toUpperCase()}${kind.slice(1)}`,
            }),
          ],
        ]);
      });

      test('whose details are cut off inside a character sends a replacement for it', async () => {
        const { relay } = await throwing({ code: status.INVALID_ARGUMENT, details: 'no smiley: 😀'.slice(0, -1) });
        await using _closing = relay;

        expect((await startCall(relay.client, kind).status).details).toBe('no smiley: \ufffd');
      });
    });
  });

  test.each<[string, (error: ServiceError) => unknown]>([
    ['rethrown', (error) => error],
    ['rethrown with a message of its own', (error) => Object.assign(error, { message: `users: ${error.message}` })],
    ['rethrown with details of its own', (error) => Object.assign(error, { details: 'the users service failed' })],
  ])('a child call’s error, %s, is the same status without what came back with it', async (_name, change) => {
    await using leaf = await startLeaf();
    const child = new LeafClient(leaf.address, credentials.createInsecure());
    await using relay = await startHostedRelay(
      relayOf(async function* () {
        const failed = new Promise<ServiceError>((resolve) => child.unary(REQUEST, (error) => resolve(error!)));
        const arrival = await leaf.arrived('undefined');
        arrival.fail(status.PERMISSION_DENIED, 'of the child', trailers('of the child'));
        yield reply();
        throw change(await failed);
      }),
      { interceptors: interceptors() },
    );

    const ended = await startCall(relay.client, 'unary').status;
    child.close();

    expect(ended.code).toBe(status.PERMISSION_DENIED);
    expect(ended.metadata.get('x-trailer')).toEqual([]);
  });

  test('an error that takes over a child call’s code and details may have metadata', async () => {
    await using relay = await startHostedRelay(
      failing(Object.assign(new Error('5 NOT_FOUND: no'), { code: 5, details: 'no', metadata: trailers('own') })),
      { interceptors: interceptors() },
    );

    expect((await startCall(relay.client, 'unary').status).metadata.get('x-trailer')).toEqual(['own']);
  });
});
