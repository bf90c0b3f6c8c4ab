import 'reflect-metadata';
import { connectivityState, credentials, status } from '@grpc/grpc-js';
import {
  configureGrpcClientDefaults,
  createGrpcChannel,
  createGrpcClient,
  type GrpcChannelOptions,
  type GrpcClient,
  GrpcClientFactory,
  type GrpcClientOptions,
  getGrpcClient,
} from '@grpc-di/client-factory';
import { CASE_KEY, LeafClient, type RunningLeaf, startLeaf } from '@grpc-di/test-rig';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Container } from 'inversify';
import { type CountingProxy, startCountingProxy } from '../channel/counting-proxy.js';
import { REQUEST } from './named-server.js';

const LEAF = 'grpc_di.test.v1.Leaf';
const channelOptions = { 'grpc.use_local_subchannel_pool': 1 };

/** A second client class of the same service. */
class OtherClient extends LeafClient {}

let leafServer: RunningLeaf;
beforeAll(async () => {
  leafServer = await startLeaf();
});
afterAll(async () => {
  await leafServer[Symbol.asyncDispose]();
});

let proxy: CountingProxy;
let container: Container;
beforeEach(async () => {
  proxy = await startCountingProxy(leafServer.port);
  container = new Container();
  createGrpcChannel(container, 'backend', { address: proxy.address, channelOptions });
});
afterEach(async () => {
  await container.get(GrpcClientFactory).close({ cancelCalls: true });
  await proxy[Symbol.asyncDispose]();
});

function registerBoth(on = container): void {
  createGrpcClient(on, LeafClient, { channel: 'backend' });
  createGrpcClient(on, OtherClient, { name: 'other', channel: 'backend' });
}

let calls = 0;
async function runningCall(leaf: GrpcClient<LeafClient>) {
  const caseId = `shared ${calls++}`;
  const call = leaf.unary(REQUEST, { metadata: { [CASE_KEY]: caseId } });
  return { call, arrival: await leafServer.arrived(caseId) };
}

async function answeredCall(leaf: GrpcClient<LeafClient>): Promise<string> {
  const { call, arrival } = await runningCall(leaf);
  arrival.answer();
  return (await call).text;
}

describe('a channel that clients share', () => {
  test('is one connection for all of them, also when all begin at once', async () => {
    registerBoth();
    createGrpcClient(container, LeafClient, { name: 'third', channel: 'backend' });

    await Promise.all(
      [
        getGrpcClient(container, LeafClient),
        getGrpcClient(container, OtherClient, 'other'),
        getGrpcClient(container, LeafClient, 'third'),
        getGrpcClient(container, LeafClient),
      ].map(answeredCall),
    );

    expect(proxy.opened).toBe(1);
  });

  test('connects on the first call, or when told to', async () => {
    registerBoth();
    getGrpcClient(container, LeafClient);
    const factory = container.get(GrpcClientFactory);
    factory.validate();
    expect(factory.getChannel('backend').getConnectivityState(false)).toBe(connectivityState.IDLE);
    expect(proxy.opened).toBe(0);

    await factory.waitForReady({ names: ['backend'] });

    expect(proxy.opened).toBe(1);
    expect(factory.getChannel('backend').getConnectivityState(false)).toBe(connectivityState.READY);
    expect(factory.getChannel(LEAF)).toBe(factory.getChannel('backend'));
    await factory.waitForReady();
    expect(proxy.opened).toBe(1);
  });

  test('is made once, by the address that its function gives then, and a failure is not kept', async () => {
    let asked = 0;
    createGrpcChannel(container, 'late', {
      address: (asking) => {
        asked++;
        if (asked === 1) {
          throw new Error('no route yet');
        }
        expect(asking).toBe(container);
        return proxy.address;
      },
      channelOptions,
    });
    createGrpcClient(container, LeafClient, { channel: 'late' });
    createGrpcClient(container, OtherClient, { name: 'other', channel: 'late' });
    expect(() => getGrpcClient(container, LeafClient)).toThrow(
      "gRPC channel 'late': its address function threw: no route yet",
    );

    await answeredCall(getGrpcClient(container, LeafClient));
    await answeredCall(getGrpcClient(container, OtherClient, 'other'));

    expect([asked, proxy.opened]).toEqual([2, 1]);
  });

  test('merges the options of its registrations, also after validate()', async () => {
    createGrpcChannel(container, 'merged', {
      address: 'localhost:1',
      channelOptions: { 'grpc.max_send_message_length': 1 },
    });
    createGrpcClient(container, LeafClient, { channel: 'merged' });
    container.get(GrpcClientFactory).validate();

    createGrpcChannel(container, 'merged', { address: proxy.address, channelOptions });

    await expect(getGrpcClient(container, LeafClient).unary(REQUEST)).rejects.toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
    });
    const call = getGrpcClient(container, LeafClient).unary(
      { id: '', script: '', path: [] },
      { metadata: { [CASE_KEY]: 'merged' } },
    );
    (await leafServer.arrived('merged')).answer();
    await call;
    expect(proxy.opened).toBe(1);
  });

  test.each<[title: string, use: () => unknown]>([
    ['a client was resolved', () => getGrpcClient(container, LeafClient)],
    ['a call was made', () => getGrpcClient(container, LeafClient).unary(REQUEST, { timeoutMs: 1 }).status],
    ['its channel was taken', () => container.get(GrpcClientFactory).getChannel('backend')],
    ['it was closed', () => container.get(GrpcClientFactory).close({ names: ['backend'] })],
  ])('registered again after %s, is an error and changes nothing', async (_title, use) => {
    registerBoth();
    await use();

    expect(() => createGrpcChannel(container, 'backend', { address: 'localhost:1' })).toThrow(
      new Error(
        "gRPC channel 'backend' was already used, and cannot be registered again: register all channels before the first client is resolved",
      ),
    );
    expect(container.get(GrpcClientFactory).createClient(LeafClient).getChannel().getTarget()).toBe(proxy.address);
  });

  test('is the parent’s for child containers that have none of the name, and the child’s for one that has', async () => {
    const child = new Container({ parent: new Container({ parent: container }) });
    registerBoth(child);
    expect(await answeredCall(getGrpcClient(child, LeafClient))).toBe('done');
    expect(proxy.opened).toBe(1);

    await using ownProxy = await startCountingProxy(leafServer.port);
    const owner = new Container({ parent: container });
    createGrpcChannel(owner, 'backend', { address: ownProxy.address, channelOptions });
    registerBoth(owner);
    await answeredCall(getGrpcClient(owner, LeafClient));

    expect([proxy.opened, ownProxy.opened]).toEqual([1, 1]);
    await owner.get(GrpcClientFactory).close();
    await ownProxy.allClosed();
    expect(await answeredCall(getGrpcClient(child, OtherClient, 'other'))).toBe('done');
    await child.get(GrpcClientFactory).close();
    expect(container.get(GrpcClientFactory).getChannel('backend').getConnectivityState(false)).toBe(
      connectivityState.READY,
    );
  });

  test('may be registered after its clients', async () => {
    createGrpcClient(container, LeafClient, { channel: 'later' });
    createGrpcChannel(container, 'later', { address: proxy.address, channelOptions });

    expect(await answeredCall(getGrpcClient(container, LeafClient))).toBe('done');
  });

  test('has the credentials, channel options and service config of the defaults', async () => {
    configureGrpcClientDefaults(container, {
      credentials: credentials.createInsecure(),
      channelOptions: { 'grpc.max_send_message_length': 1 },
    });
    createGrpcChannel(container, 'defaulted', { address: `dns:///${proxy.address}`, channelOptions });
    createGrpcClient(container, LeafClient, { channel: 'defaulted' });

    await expect(getGrpcClient(container, LeafClient).unary(REQUEST)).rejects.toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
    });
  });

  test('serves clients that createClient makes', async () => {
    const probe = Symbol('probe');
    createGrpcClient<LeafClient>(container, probe as never, {
      name: 'probe',
      channel: 'backend',
      createClient: (channel) => new LeafClient('', credentials.createInsecure(), { channelOverride: channel }),
    });
    registerBoth();
    await answeredCall(getGrpcClient(container, LeafClient));
    const client = container.get<LeafClient>(probe, { name: 'probe' });
    const replied = new Promise((resolve) => client.unary(REQUEST, resolve));

    (await leafServer.arrived('undefined')).answer();

    expect(await replied).toBeNull();
    expect(proxy.opened).toBe(1);
  });
});

describe('closing', () => {
  test('the channel by its name lets calls of all its clients finish, and fails new ones', async () => {
    registerBoth();
    const factory = container.get(GrpcClientFactory);
    const leaf = getGrpcClient(container, LeafClient);
    const other = getGrpcClient(container, OtherClient, 'other');
    const running = [await runningCall(leaf), await runningCall(other)];
    let isClosed = false;
    const closed = factory.close({ names: ['backend'] }).then(() => {
      isClosed = true;
    });

    for (const late of [leaf, other, getGrpcClient(container, LeafClient)]) {
      await expect(late.unary(REQUEST)).rejects.toMatchObject({
        code: status.UNAVAILABLE,
        details: "gRPC channel 'backend' is closed: GrpcClientFactory.close() was called",
      });
      expect(late.getChannel().getConnectivityState(true)).toBe(connectivityState.SHUTDOWN);
    }
    expect(() => factory.getChannel('backend')).toThrow("gRPC channel 'backend' is closed");
    for (const { call, arrival } of running) {
      expect(isClosed).toBe(false);
      arrival.answer();
      await call;
    }

    await closed;
    await proxy.allClosed();
  });

  test('the channel with cancelCalls cancels the calls of all its clients', async () => {
    registerBoth();
    const running = [
      await runningCall(getGrpcClient(container, LeafClient)),
      await runningCall(getGrpcClient(container, OtherClient, 'other')),
    ];

    await container.get(GrpcClientFactory).close({ names: ['backend'], cancelCalls: true });

    for (const { call, arrival } of running) {
      await expect(call).rejects.toMatchObject({
        code: status.CANCELLED,
        details: "Cancelled: gRPC channel 'backend' is closed: GrpcClientFactory.close() was called",
      });
      await arrival.cancelled;
    }
    await proxy.allClosed();
  });

  test('one client by its name closes it alone, and waits for its calls alone', async () => {
    registerBoth();
    const leaf = getGrpcClient(container, LeafClient);
    const other = getGrpcClient(container, OtherClient, 'other');
    const ofLeaf = await runningCall(leaf);
    const ofOther = await runningCall(other);

    const patient = container.get(GrpcClientFactory).close({ names: [LEAF] });
    await expect(leaf.unary(REQUEST)).rejects.toMatchObject({
      code: status.UNAVAILABLE,
      details: `gRPC client '${LEAF}' is closed: GrpcClientFactory.close() was called`,
    });
    ofLeaf.arrival.answer();
    await patient;
    expect(await ofLeaf.call).toMatchObject({ text: 'done' });
    const ofOtherToo = await runningCall(other);
    for (const { call, arrival } of [ofOther, ofOtherToo]) {
      arrival.answer();
      expect(await call).toMatchObject({ text: 'done' });
    }
    expect(proxy.opened).toBe(1);
  });

  test('one client with cancelCalls cancels no call of another', async () => {
    registerBoth();
    const ofLeaf = await runningCall(getGrpcClient(container, LeafClient));
    const ofOther = await runningCall(getGrpcClient(container, OtherClient, 'other'));

    await container.get(GrpcClientFactory).close({ names: [LEAF], cancelCalls: true });

    await expect(ofLeaf.call).rejects.toMatchObject({ code: status.CANCELLED });
    ofOther.arrival.answer();
    expect(await ofOther.call).toMatchObject({ text: 'done' });
  });

  test('one client while it waits to be ready ends the wait, and the channel stays', async () => {
    createGrpcChannel(container, 'deaf', { address: 'localhost:1' });
    createGrpcClient(container, LeafClient, { channel: 'deaf' });
    const factory = container.get(GrpcClientFactory);
    const waiting = factory.waitForReady({ names: [LEAF], timeoutMs: 60_000 });

    await factory.close({ names: [LEAF] });

    await expect(waiting).rejects.toThrow(`gRPC client '${LEAF}' is closed: GrpcClientFactory.close() was called`);
    expect(factory.getChannel('deaf').getConnectivityState(false)).not.toBe(connectivityState.SHUTDOWN);
  });

  test('all waits for the calls of clients that were unbound before, too', async () => {
    registerBoth();
    const { call, arrival } = await runningCall(getGrpcClient(container, LeafClient));
    container.unbind(LeafClient);
    let isClosed = false;
    const closed = container
      .get(GrpcClientFactory)
      .close()
      .then(() => {
        isClosed = true;
      });

    await expect(getGrpcClient(container, OtherClient, 'other').unary(REQUEST)).rejects.toMatchObject({
      code: status.UNAVAILABLE,
    });
    expect(isClosed).toBe(false);
    arrival.answer();

    expect(await call).toMatchObject({ text: 'done' });
    await closed;
    await proxy.allClosed();
  });
});

describe('unbinding', () => {
  test('one client leaves the calls of the others alone, and its own running ones', async () => {
    registerBoth();
    const leaf = getGrpcClient(container, LeafClient);
    const other = getGrpcClient(container, OtherClient, 'other');
    const running = [await runningCall(leaf), await runningCall(other)];

    container.unbind(LeafClient);

    await expect(leaf.unary(REQUEST)).rejects.toMatchObject({
      code: status.UNAVAILABLE,
      details: `gRPC client '${LEAF}' is closed: its binding was removed from the container`,
    });
    expect(await answeredCall(other)).toBe('done');
    for (const { call, arrival } of running) {
      arrival.answer();
      expect(await call).toMatchObject({ text: 'done' });
    }
    expect(proxy.opened).toBe(1);
  });

  test('all closes the channel once its calls have ended', async () => {
    registerBoth();
    const leaf = getGrpcClient(container, LeafClient);
    const { call, arrival } = await runningCall(leaf);
    const factory = container.get(GrpcClientFactory);

    container.unbindAll();

    await expect(leaf.unary(REQUEST)).rejects.toMatchObject({ code: status.UNAVAILABLE });
    arrival.answer();
    expect(await call).toMatchObject({ text: 'done' });
    await proxy.allClosed();
    createGrpcChannel(container, 'backend', { address: proxy.address, channelOptions });
    registerBoth();
    expect(await answeredCall(getGrpcClient(container, LeafClient))).toBe('done');
    expect(proxy.opened).toBe(2);
    await factory.close();
  });

  test('all in a parent ends the clients of a child that share its channel', async () => {
    const child = new Container({ parent: container });
    registerBoth(child);
    const leaf = getGrpcClient(child, LeafClient);
    await answeredCall(leaf);
    const factory = container.get(GrpcClientFactory);

    container.unbindAll();

    await expect(leaf.unary(REQUEST)).rejects.toMatchObject({
      code: status.UNAVAILABLE,
      details: "gRPC channel 'backend' is closed: its container has let go of it",
    });
    await proxy.allClosed();
    container.bind(GrpcClientFactory).toConstantValue(factory);
  });

  test('can be taken back by restore()', async () => {
    registerBoth();
    const leaf = getGrpcClient(container, LeafClient);
    await answeredCall(leaf);
    container.snapshot();
    container.unbindAll();
    container.restore();

    expect(await answeredCall(leaf)).toBe('done');
    expect(await answeredCall(getGrpcClient(container, OtherClient, 'other'))).toBe('done');
  });

  test('restore() takes a channel that was registered since, and the options of one that was changed', async () => {
    container.snapshot();
    createGrpcChannel(container, 'new', { address: proxy.address });
    createGrpcChannel(container, 'backend', { address: 'localhost:1' });
    container.restore();
    createGrpcClient(container, LeafClient, { channel: 'new' });
    createGrpcClient(container, OtherClient, { name: 'other', channel: 'backend' });

    expect(() => getGrpcClient(container, LeafClient)).toThrow("there is no channel 'new', only 'backend'");
    expect(getGrpcClient(container, OtherClient, 'other').getChannel().getTarget()).toBe(proxy.address);
  });
});

describe('a wrong channel', () => {
  const CHANNEL = "gRPC channel 'wrong': ";

  test.each<[options: unknown, name: string, text: string]>([
    [undefined, 'TypeError', "options must be an object such as { address: 'https://users:50051' }, not undefined"],
    [
      { timeoutMs: 5 },
      'TypeError',
      'unknown option "timeoutMs"; there are address, credentials, channelOptions, serviceConfig',
    ],
    [
      { name: 'x' },
      'TypeError',
      'unknown option "name"; there are address, credentials, channelOptions, serviceConfig',
    ],
    [
      { address: 'users:' },
      'Error',
      "address 'users:' is no gRPC target: expected host:port, with a port from 1 to 65535; lists of addresses are for 'ipv4:' and 'ipv6:'",
    ],
    [
      { address: 'http://users', credentials: credentials.createSsl() },
      'Error',
      "address 'http://users' is http, and the credentials are for TLS: write https",
    ],
  ])('%p', (options, name, text) => {
    let thrown: unknown;
    try {
      createGrpcChannel(container, 'wrong', options as GrpcChannelOptions);
    } catch (error) {
      thrown = error;
    }

    expect(thrown).toMatchObject({ name, message: CHANNEL + text });
    expect(() => container.get(GrpcClientFactory).getChannel('wrong')).toThrow("'wrong' is not registered");
  });

  test.each([[''], [5], [undefined]])('name: %p', (name) => {
    expect(() => createGrpcChannel(container, name as string, { address: 'localhost:1' })).toThrow(
      `createGrpcChannel: name must be a string that is not empty, not ${name === '' ? "''" : String(name)}`,
    );
  });

  test('without an address, at the first use and in validate()', () => {
    createGrpcChannel(container, 'wrong', {});
    createGrpcClient(container, LeafClient, { channel: 'wrong' });
    const text = `${CHANNEL}it has no address: write createGrpcChannel(container, 'wrong', { address: 'https://users:50051' })`;

    expect(() => getGrpcClient(container, LeafClient)).toThrow(new Error(text));
    expect(() => container.get(GrpcClientFactory).validate()).toThrow(text);
  });

  test('of a name that there is none of, at the first use and in validate()', () => {
    const child = new Container({ parent: container });
    createGrpcChannel(child, 'backend', { address: 'localhost:1' });
    createGrpcChannel(child, 'front', { address: 'localhost:1' });
    createGrpcClient(child, LeafClient, { channel: 'backed' });
    const text = `gRPC client '${LEAF}': there is no channel 'backed', only 'backend', 'front': write createGrpcChannel(container, 'backed', { address: 'https://users:50051' })`;

    expect(() => getGrpcClient(child, LeafClient)).toThrow(new Error(text));
    expect(() => child.get(GrpcClientFactory).validate()).toThrow(`1 gRPC client(s) cannot be used:\n- ${text}`);
    createGrpcChannel(child, 'backed', { address: 'localhost:1' });
    child.get(GrpcClientFactory).validate();
  });

  test('where there are none at all', () => {
    const empty = new Container();
    createGrpcClient(empty, LeafClient, { channel: 'backend' });

    expect(() => getGrpcClient(empty, LeafClient)).toThrow(
      new Error(
        `gRPC client '${LEAF}': there is no channel 'backend': write createGrpcChannel(container, 'backend', { address: 'https://users:50051' })`,
      ),
    );
  });

  test.each<[option: keyof GrpcClientOptions, value: unknown]>([
    ['address', 'localhost:1'],
    ['credentials', credentials.createSsl()],
    ['channelOptions', {}],
    ['serviceConfig', {}],
  ])('and %s of its own, in one registration or two', (option, value) => {
    const text = `gRPC client '${LEAF}': it has both channel and ${option}: pass ${option} to createGrpcChannel(container, 'backend', { ... })`;

    expect(() => createGrpcClient(container, LeafClient, { channel: 'backend', [option]: value })).toThrow(
      new Error(text),
    );
    createGrpcClient(container, LeafClient, { [option]: value });
    expect(() => createGrpcClient(container, LeafClient, { channel: 'backend' })).toThrow(new Error(text));
  });
});
