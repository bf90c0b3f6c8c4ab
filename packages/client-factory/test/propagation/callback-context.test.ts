import 'reflect-metadata';
import { Duplex, Writable } from 'node:stream';
import { credentials, Metadata } from '@grpc/grpc-js';
import {
  type CallContext,
  createGrpcClient,
  currentCallContext,
  GrpcClientFactory,
  getGrpcClient,
  runInCallContext,
} from '@grpc-di/client-factory';
import { CALL_KINDS, CASE_KEY, type CallKind, LeafClient, type RunningLeaf, startLeaf } from '@grpc-di/test-rig';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Container } from 'inversify';
import { REQUEST } from './front-server.js';

let leaf: RunningLeaf;

beforeAll(async () => {
  leaf = await startLeaf();
});

afterAll(async () => {
  await leaf[Symbol.asyncDispose]();
});

const CALLERS = 10;
let runs = 0;

/** What a call's events were, and how many of them ran in another context than their caller's. */
interface Seen {
  events: Set<string>;
  strays: string[];
}

/** Concurrent callers, each in a context of its own, on a client that they share; all listen to everything. */
async function listenEverywhere(client: LeafClient, kind: CallKind): Promise<Seen> {
  const seen: Seen = { events: new Set(), strays: [] };
  runs += 1;
  await Promise.all(
    Array.from({ length: CALLERS }, (_, caller) =>
      runInCallContext({ timeoutMs: 60_000 + caller }, async (context) => {
        const caseId = `context/${runs}/${kind}/${caller}`;
        const ended = listen(client, kind, caseId, context, seen);
        (await leaf.arrived(caseId)).answer();
        await ended;
      }),
    ),
  );
  return seen;
}

function listen(client: LeafClient, kind: CallKind, caseId: string, context: CallContext, seen: Seen): Promise<void> {
  const metadata = new Metadata();
  metadata.set(CASE_KEY, caseId);
  const hear = (event: string) => (): void => {
    seen.events.add(event);
    if (currentCallContext() !== context) {
      seen.strays.push(event);
    }
  };
  const call = {
    unary: () => client.unary(REQUEST, metadata, hear('callback')),
    serverStream: () => client.serverStream(REQUEST, metadata).on('data', hear('data')).on('end', hear('end')),
    clientStream: () => client.clientStream(metadata, hear('callback')),
    bidi: () => client.bidi(metadata).on('data', hear('data')).on('end', hear('end')),
  }[kind]();
  call.on('metadata', hear('metadata'));
  if (call instanceof Writable || call instanceof Duplex) {
    call.write(REQUEST, hear('write callback'));
    call.end();
  }
  return new Promise((resolve) => {
    call.on('status', () => {
      hear('status')();
      // 'end' comes after 'status', on a later tick.
      setImmediate(resolve);
    });
  });
}

const EVENTS: Record<CallKind, string[]> = {
  unary: ['callback', 'metadata', 'status'],
  serverStream: ['data', 'end', 'metadata', 'status'],
  clientStream: ['callback', 'metadata', 'status', 'write callback'],
  bidi: ['data', 'end', 'metadata', 'status', 'write callback'],
};

test.each(
  CALL_KINDS.flatMap((kind) => [
    [kind, 'that propagates', true] as const,
    [kind, 'that does not propagate', false] as const,
  ]),
)(
  'all that comes back with a %s call of a client %s runs in its caller’s context, cold and warm',
  async (kind, _name, propagates) => {
    const container = new Container();
    createGrpcClient(container, LeafClient, {
      address: leaf.address,
      enableCallContextPropagation: propagates,
      channelOptions: { 'grpc.use_local_subchannel_pool': 1 },
    });
    const client = getGrpcClient(container, LeafClient);

    const cold = await listenEverywhere(client, kind);
    const warm = await listenEverywhere(client, kind);

    expect(cold.strays).toEqual([]);
    expect(warm.strays).toEqual([]);
    expect([...cold.events].sort()).toEqual(EVENTS[kind]);
    expect([...warm.events].sort()).toEqual(EVENTS[kind]);
    await container.get(GrpcClientFactory).close();
  },
);

test.each(CALL_KINDS)(
  'with grpc-js alone a %s call strays into the context of whoever opened the connection',
  async (kind) => {
    const client = new LeafClient(leaf.address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
    const { strays } = await listenEverywhere(client, kind);
    expect(strays.length).toBeGreaterThan(0);
    client.close();
  },
);
