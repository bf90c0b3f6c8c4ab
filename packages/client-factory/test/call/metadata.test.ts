import 'reflect-metadata';
import { InterceptingCall, type Interceptor, Metadata } from '@grpc/grpc-js';
import type { GrpcCallOptions, GrpcClient, GrpcClientOptions } from '@grpc-di/client-factory';
import { CALL_KINDS, CASE_KEY, type CallKind, type LeafClient, type RunningLeaf, startLeaf } from '@grpc-di/test-rig';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { caseName, connect, messagesOf, REQUEST, start } from './served-calls.js';

let leaf: RunningLeaf;

beforeAll(async () => {
  leaf = await startLeaf();
});

afterAll(async () => {
  await leaf[Symbol.asyncDispose]();
});

function metadata(entries: Record<string, string | Buffer | Array<string | Buffer>>): Metadata {
  const made = new Metadata();
  for (const [name, values] of Object.entries(entries)) {
    for (const value of Array.isArray(values) ? values : [values]) {
      made.add(name, value);
    }
  }
  return made;
}

/** What the server gets of a call that `begin` starts; `x-case` is in the client's registration. */
async function received(
  options: GrpcClientOptions,
  begin: (client: GrpcClient<LeafClient>) => unknown,
): Promise<Metadata> {
  const caseId = caseName();
  const registered = options.metadata instanceof Metadata ? options.metadata.clone() : metadata(options.metadata ?? {});
  registered.set(CASE_KEY, caseId);
  await using connected = connect(leaf.address, { ...options, metadata: registered });
  const call = begin(connected.client);
  const arrival = await leaf.arrived(caseId);
  arrival.answer();
  if (call instanceof Promise) {
    await call;
  } else if (Symbol.asyncIterator in (call as object)) {
    await messagesOf(call as never);
  }
  return arrival.metadata;
}

describe.each(CALL_KINDS)('%s', (kind: CallKind) => {
  const send = (options: GrpcCallOptions) => (client: GrpcClient<LeafClient>) => start(client, kind, options);

  test('the option is an object of strings', async () => {
    const sent = await received({}, send({ metadata: { 'x-one': '1', 'X-Two': '2' } }));

    expect(sent.get('x-one')).toEqual(['1']);
    expect(sent.get('x-two')).toEqual(['2']);
  });

  test('the option is a Metadata, with several values and binary ones', async () => {
    const sent = await received(
      {},
      send({ metadata: metadata({ 'x-list': ['a', 'b'], 'x-trace-bin': [Buffer.from([0, 255]), Buffer.from([1])] }) }),
    );

    expect(sent.get('x-list')).toEqual(['a, b']);
    expect(sent.get('x-trace-bin')).toEqual([Buffer.from([0, 255]), Buffer.from([1])]);
  });

  test("the client's registered metadata fills in what the call does not set", async () => {
    const sent = await received(
      {
        metadata: metadata({
          'x-client': 'registered',
          'x-both': ['registered', 'twice'],
          'x-both-bin': Buffer.from('r'),
        }),
      },
      send({
        metadata: metadata({ 'X-Both': 'of the call', 'x-both-bin': Buffer.from('c'), 'x-call': 'of the call' }),
      }),
    );

    expect(sent.get('x-client')).toEqual(['registered']);
    expect(sent.get('x-both')).toEqual(['of the call']);
    expect(sent.get('x-both-bin')).toEqual([Buffer.from('c')]);
    expect(sent.get('x-call')).toEqual(['of the call']);
  });

  test("the client's registered metadata is there without any of the call's", async () => {
    const sent = await received({ metadata: { 'x-client': 'registered' } }, send({}));

    expect(sent.get('x-client')).toEqual(['registered']);
  });

  test('nothing of one call is left for the next', async () => {
    const arrivals: Metadata[] = [];
    const caseIds = [caseName(), caseName()];
    await using connected = connect(leaf.address, { metadata: { 'x-client': 'registered' } });
    for (const [index, caseId] of caseIds.entries()) {
      const call = start(connected.client, kind, {
        metadata: index === 0 ? { [CASE_KEY]: caseId, 'x-client': 'first', 'x-first': '1' } : { [CASE_KEY]: caseId },
      });
      const arrival = await leaf.arrived(caseId);
      arrival.answer();
      await messagesOf(call);
      arrivals.push(arrival.metadata);
    }

    expect(arrivals.map((sent) => sent.get('x-client'))).toEqual([['first'], ['registered']]);
    expect(arrivals[1]!.get('x-first')).toEqual([]);
  });
});

describe('a Metadata argument and the option', () => {
  const argument = (): Metadata => metadata({ 'x-argument': 'a', 'x-both': 'a' });
  const option = { 'x-option': 'o', 'x-both': 'o' };
  const ignore = (): void => {};

  test.each<[CallKind, (client: GrpcClient<LeafClient>) => unknown]>([
    ['unary', (client) => client.unary(REQUEST, argument(), { metadata: option } as GrpcCallOptions, ignore)],
    ['serverStream', (client) => client.serverStream(REQUEST, argument(), { metadata: option } as GrpcCallOptions)],
    [
      'clientStream',
      (client) => client.clientStream(argument(), { metadata: option } as GrpcCallOptions, ignore).end(REQUEST),
    ],
    ['bidi', (client) => client.bidi(argument(), { metadata: option } as GrpcCallOptions).end(REQUEST)],
  ])('go out together (%s)', async (_kind, begin) => {
    const sent = await received({ metadata: { 'x-client': 'c', 'x-both': 'c' } }, begin);

    expect(sent.get('x-argument')).toEqual(['a']);
    expect(sent.get('x-option')).toEqual(['o']);
    expect(sent.get('x-both')).toEqual(['a, o']);
    expect(sent.get('x-client')).toEqual(['c']);
  });
});

describe("the user's objects", () => {
  const CASES = CALL_KINDS.flatMap((kind) => ['argument', 'option'].map((where) => [kind, where] as const));

  /** Reads and changes what an interceptor may change: its own call's metadata. */
  const stamp: Interceptor = (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start: (sent, listener, next) => {
        sent.set('x-stamp', 'stamped');
        next(sent, listener);
      },
    });

  test.each(CASES)('are as they were: %s, Metadata as %s', async (kind, where) => {
    const caseId = caseName();
    const own = metadata({ [CASE_KEY]: caseId, 'x-own': ['1', '2'], 'x-own-bin': Buffer.from('b') });
    const more = Object.freeze({ 'x-more': 'm' });
    const registered = metadata({ 'x-client': 'registered', 'x-own': 'registered' });
    const before = [own, registered].map((each) => JSON.stringify([each.toJSON(), each.getOptions()]));
    const options: GrpcCallOptions = Object.freeze({
      timeoutMs: 20_000,
      waitForReady: true,
      interceptors: Object.freeze([]) as never,
      metadata: where === 'option' ? own : more,
    });
    await using connected = connect(leaf.address, { metadata: registered, timeoutMs: 10_000 });
    const { client } = connected;
    const given = where === 'option' ? [options] : [own, options];
    const requests = Object.freeze([Object.freeze({ ...REQUEST })]);

    const call = {
      unary: () => (client.unary as (...args: unknown[]) => unknown)(requests[0], ...given),
      serverStream: () => (client.serverStream as (...args: unknown[]) => unknown)(requests[0], ...given),
      clientStream: () => (client.clientStream as (...args: unknown[]) => unknown)(requests, ...given),
      bidi: () => (client.bidi as (...args: unknown[]) => unknown)(requests, ...given),
    }[kind]();
    const arrival = await leaf.arrived(caseId);
    arrival.answer();
    await messagesOf(call as never);

    expect(arrival.metadata.get('x-client')).toEqual(['registered']);
    expect([own, registered].map((each) => JSON.stringify([each.toJSON(), each.getOptions()]))).toEqual(before);
    expect(Object.keys(options)).toEqual(['timeoutMs', 'waitForReady', 'interceptors', 'metadata']);
  });

  test.each(CALL_KINDS)(
    'one Metadata serves many calls at once, whatever their interceptors add (%s)',
    async (kind) => {
      const caseId = caseName();
      const shared = metadata({ [CASE_KEY]: caseId });
      await using connected = connect(leaf.address);

      const call = start(connected.client, kind, { metadata: shared, interceptors: [stamp] });
      const arrival = await leaf.arrived(caseId);
      arrival.answer();
      await messagesOf(call);

      expect(arrival.metadata.get('x-stamp')).toEqual(['stamped']);
      expect(shared.get('x-stamp')).toEqual([]);
    },
  );

  test('are not read again once the call has started', async () => {
    const caseId = caseName();
    const own = metadata({ [CASE_KEY]: caseId, 'x-own': 'before' });
    await using connected = connect(leaf.address);
    const call = start(connected.client, 'unary', { metadata: own });

    own.set('x-own', 'after');

    const arrival = await leaf.arrived(caseId);
    arrival.answer();
    await messagesOf(call);
    expect(arrival.metadata.get('x-own')).toEqual(['before']);
  });
});

describe('waitForReady', () => {
  test("leaves the caller's Metadata options alone", async () => {
    const caseId = caseName();
    const own = new Metadata({ corked: true });
    own.set(CASE_KEY, caseId);
    await using connected = connect(leaf.address);
    const call = start(connected.client, 'unary', { metadata: own, waitForReady: true });
    (await leaf.arrived(caseId)).answer();
    await messagesOf(call);

    expect(own.getOptions()).toEqual({ corked: true });
  });
});
