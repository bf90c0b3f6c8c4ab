import 'reflect-metadata';
import { EventEmitter, once } from 'node:events';
import { credentials } from '@grpc/grpc-js';
import { createGrpcChannel, createGrpcClient, GrpcClientFactory, getGrpcClient } from '@grpc-di/client-factory';
import { CASE_KEY, LeafClient, type RunningLeaf, startLeaf } from '@grpc-di/test-rig';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Container } from 'inversify';
import { REQUEST } from '../call/served-calls.js';
import { record } from './recorder.js';

const CHANNEL_EVENTS = ['channelOpen', 'channelClose'] as const;

/** Whom nobody connects to. */
const NOWHERE = 'localhost:1';

let leaf: RunningLeaf;

beforeAll(async () => {
  leaf = await startLeaf();
});

afterAll(async () => {
  await leaf[Symbol.asyncDispose]();
});

/** Opens the channel of a client, without connecting it. */
function open(container: Container, name?: string): void {
  getGrpcClient(container, LeafClient, name).getChannel().getChannelzRef();
}

describe('a channel is opened', () => {
  test('with its first call, and not again with the second', async () => {
    const container = new Container();
    createGrpcClient(container, LeafClient, { address: leaf.address });
    using recording = record(['channelOpen', 'channelClose', 'callStart']);
    const client = getGrpcClient(container, LeafClient);
    expect(recording.order).toEqual([]);
    for (const caseId of ['first', 'second']) {
      const call = client.unary(REQUEST, { metadata: { [CASE_KEY]: caseId } });
      (await leaf.arrived(caseId)).answer();
      await call;
    }
    expect(recording.order).toEqual(['channelOpen', 'callStart', 'callStart']);
    expect(recording.of('channelOpen')).toStrictEqual([
      { channelId: client.getChannel().getChannelzRef().id, target: leaf.address, secure: false },
    ]);
    await container.get(GrpcClientFactory).close();
  });

  test.each([
    ['an https address', { address: 'https://users.test' }],
    ['secure credentials', { address: 'users.test', credentials: credentials.createSsl() }],
  ])('secure, with %s', async (_name, options) => {
    const container = new Container();
    createGrpcClient(container, LeafClient, options);
    using recording = record(CHANNEL_EVENTS);
    open(container);
    expect(recording.of('channelOpen')).toMatchObject([{ secure: true }]);
    await container.get(GrpcClientFactory).close();
  });

  test('once for the clients that share it', async () => {
    const container = new Container();
    createGrpcChannel(container, 'shared', { address: NOWHERE });
    createGrpcClient(container, LeafClient, { channel: 'shared' });
    createGrpcClient(container, LeafClient, { name: 'other', channel: 'shared' });
    using recording = record(CHANNEL_EVENTS);
    open(container);
    open(container, 'other');
    expect(recording.order).toEqual(['channelOpen']);
    await container.get(GrpcClientFactory).close();
    expect(recording.order).toEqual(['channelOpen', 'channelClose']);
  });
});

describe('a channel is closed', () => {
  test.each([
    [
      'by the factory',
      (container: Container) => container.get(GrpcClientFactory).close(),
      "gRPC client 'grpc_di.test.v1.Leaf' is closed: GrpcClientFactory.close() was called",
    ],
    [
      'by unbinding its class',
      (container: Container) => container.unbind(LeafClient),
      expect.stringContaining("gRPC client 'grpc_di.test.v1.Leaf'"),
    ],
  ])('%s', async (_name, close, because) => {
    const container = new Container();
    createGrpcClient(container, LeafClient, { address: NOWHERE });
    const events = new EventEmitter();
    using recording = record(CHANNEL_EVENTS, ({ event }) => events.emit(event));
    open(container);
    const closed = once(events, 'channelClose');
    await close(container);
    await closed;
    const [opened] = recording.of('channelOpen');
    expect(recording.of('channelClose')).toStrictEqual([{ ...opened, because }]);
  });

  test('when its last call has ended', async () => {
    const container = new Container();
    createGrpcClient(container, LeafClient, { address: leaf.address });
    using recording = record(['callEnd', 'channelClose']);
    const call = getGrpcClient(container, LeafClient).unary(REQUEST, { metadata: { [CASE_KEY]: 'last' } });
    const arrival = await leaf.arrived('last');
    const closed = container.get(GrpcClientFactory).close();
    expect(recording.order).toEqual([]);
    arrival.answer();
    await Promise.all([call, closed]);
    expect([...recording.order].sort()).toEqual(['callEnd', 'channelClose']);
  });

  test('as the least recently used of too many, for no reason of its owner', async () => {
    const container = new Container();
    createGrpcClient(container, LeafClient, { address: NOWHERE });
    const factory = container.get(GrpcClientFactory);
    const insecure = credentials.createInsecure();
    using recording = record(CHANNEL_EVENTS);
    for (let tenant = 0; tenant <= 100; tenant++) {
      const client = factory.createClient(LeafClient, undefined, {
        address: `tenant-${tenant}:50051`,
        credentials: insecure,
      });
      client.getChannel().getChannelzRef();
    }
    const [first] = recording.of('channelOpen');
    expect(first).toMatchObject({ target: 'tenant-0:50051' });
    expect(recording.of('channelClose')).toStrictEqual([{ ...first, because: undefined }]);
    await factory.close();
    expect(recording.of('channelClose')).toHaveLength(101);
  });

  test('never, when it was never opened', async () => {
    const container = new Container();
    createGrpcClient(container, LeafClient, { address: NOWHERE });
    getGrpcClient(container, LeafClient);
    using recording = record(CHANNEL_EVENTS);
    await container.get(GrpcClientFactory).close();
    expect(recording.order).toEqual([]);
  });
});
