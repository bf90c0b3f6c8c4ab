import 'reflect-metadata';
import { Server, type ServiceDefinition, status } from '@grpc/grpc-js';
import { currentCallContext } from '@grpc-di/call-context';
import { addGrpcService, currentServerCallContext, type ServerCallContext } from '@grpc-di/server';
import {
  CALL_KINDS,
  LeafService,
  RelayClient,
  type RelayReply,
  type RelayRequest,
  RelayService,
} from '@grpc-di/test-rig';
import { describe, expect, test } from '@jest/globals';
import { Container, inject, injectable, type Newable } from 'inversify';
import { REQUEST, startCall } from '../bare-call.js';
import { relayOf, reply, startHostedRelay, WITH_AND_WITHOUT_INTERCEPTOR } from '../hosted-relay.js';

describe.each(WITH_AND_WITHOUT_INTERCEPTOR)('%s', (_, interceptors) => {
  test.each(CALL_KINDS)('a class serves a %s call, in its context', async (kind) => {
    const found = new Set<unknown>();
    const Relay = relayOf(async function* ({ requests, context }) {
      found.add(currentServerCallContext() === context);
      for await (const { id } of requests) {
        found.add(currentCallContext() === context);
        yield reply(`${id} ${context.method}`);
      }
      found.add(currentCallContext() === context);
    });
    await using relay = await startHostedRelay(Relay, { interceptors: interceptors() });

    const call = startCall(relay.client, kind, { requests: [REQUEST, REQUEST], deadline: Date.now() + 60_000 });

    expect((await call.status).code).toBe(status.OK);
    const path = RelayService[kind].path;
    expect(call.replies.map(({ text }) => text)).toEqual(Array(kind === 'bidi' ? 2 : 1).fill(`request ${path}`));
    expect([...found]).toEqual([true]);
  });

  test('a class that is not bound is made for every call', async () => {
    const { Relay, made } = counting();
    await using relay = await startHostedRelay(Relay, { interceptors: interceptors() });

    await callTwice(relay.client);

    expect(made()).toBe(2);
  });

  test.each<[string, number, (container: Container, Relay: Newable<object>) => void]>([
    ['transient is made for every call', 2, (container, Relay) => container.bind(Relay).toSelf().inTransientScope()],
    ['singleton is made once', 1, (container, Relay) => container.bind(Relay).toSelf().inSingletonScope()],
    ['request-scoped is made for every call', 2, (container, Relay) => container.bind(Relay).toSelf().inRequestScope()],
  ])('a class bound as %s', async (_scope, times, bind) => {
    const { Relay, made } = counting();
    const container = new Container();
    bind(container, Relay);
    await using relay = await startHostedRelay(Relay, { interceptors: interceptors(), container });

    await callTwice(relay.client);

    expect(made()).toBe(times);
  });

  test('a request-scoped dependency is shared within a call, and fresh for the next', async () => {
    const container = new Container();
    container.bind(Session).toSelf().inRequestScope();
    container.bind(Repository).toSelf().inTransientScope();
    await using relay = await startHostedRelay(Sessions, { interceptors: interceptors(), container });

    const [first, second] = await callTwice(relay.client);

    const sessions = [...first!.split(' '), ...second!.split(' ')];
    expect(sessions[0]).toBe(sessions[1]);
    expect(sessions[2]).toBe(sessions[3]);
    expect(sessions[0]).not.toBe(sessions[2]);
  });

  test('a class is resolved inside the call’s context', async () => {
    let found: unknown;
    @injectable()
    class Relay {
      constructor() {
        found = currentServerCallContext()?.method;
      }

      async unary(): Promise<RelayReply> {
        return reply();
      }
    }
    await using relay = await startHostedRelay(Relay, { interceptors: interceptors() });

    await startCall(relay.client, 'unary').status;

    expect(found).toBe(RelayService.unary.path);
  });

  test.each(CALL_KINDS)('a %s rpc that the class does not have is UNIMPLEMENTED', async (kind) => {
    class Relay {}
    await using relay = await startHostedRelay(Relay, { interceptors: interceptors() });

    expect(await startCall(relay.client, kind).status).toMatchObject({
      code: status.UNIMPLEMENTED,
      details: `The server does not implement the method ${RelayService[kind].path}`,
    });
  });

  test('a dependency that cannot be resolved fails the call, and onError hears why', async () => {
    const errors: unknown[] = [];
    await using relay = await startHostedRelay(Sessions, {
      interceptors: interceptors(),
      onError: (error) => errors.push(error),
    });

    for (const kind of ['unary', 'serverStream'] as const) {
      expect(await startCall(relay.client, kind).status).toMatchObject({
        code: status.UNKNOWN,
        details: 'Unknown error',
      });
    }
    expect(String(errors[0])).toContain('Session');
  });
});

test('a service as proto-loader defines it finds the methods in any spelling', async () => {
  const service = {
    Unary: { ...RelayService.unary, originalName: 'unary' },
    ServerStream: { ...RelayService.serverStream, originalName: 'serverStream' },
    ClientSTREAM: { ...RelayService.clientStream, originalName: 'clientStream' },
  } as ServiceDefinition;
  class Relay {
    async unary(): Promise<RelayReply> {
      return reply('as proto-loader spells it');
    }
    async *ServerStream(): AsyncIterable<RelayReply> {
      yield reply('as in the proto');
    }
    async clientSTREAM(): Promise<RelayReply> {
      return reply('as in the proto, but for the first letter');
    }
  }
  await using relay = await startHostedRelay(Relay, { service });

  const calls = (['unary', 'serverStream', 'clientStream'] as const).map((kind) => startCall(relay.client, kind));
  await Promise.all(calls.map((call) => call.status));

  expect(calls.map(({ replies }) => replies[0]?.text)).toEqual([
    'as proto-loader spells it',
    'as in the proto',
    'as in the proto, but for the first letter',
  ]);
});

test('methods may be inherited, or function properties', async () => {
  class Base {
    async unary(): Promise<RelayReply> {
      return reply('inherited');
    }
  }
  class Derived extends Base {}
  class Properties {
    unary = async (): Promise<RelayReply> => reply('property');
  }
  for (const [Relay, text] of [
    [Derived, 'inherited'],
    [Properties, 'property'],
  ] as const) {
    await using relay = await startHostedRelay(Relay);
    const call = startCall(relay.client, 'unary');
    await call.status;
    expect(call.replies[0]!.text).toBe(text);
  }
});

test('a class may serve two services, and a server two classes', async () => {
  class Relay {
    async unary(_request: RelayRequest, { method }: ServerCallContext): Promise<RelayReply> {
      return reply(method);
    }
  }
  await using relay = await startHostedRelay(Relay);
  addGrpcService(relay.server, new Container(), LeafService, Relay);

  const call = startCall(relay.client, 'unary');
  await call.status;

  expect(call.replies[0]!.text).toBe(RelayService.unary.path);
  expect(() => addGrpcService(relay.server, new Container(), LeafService, Relay)).toThrow('already provided');
});

describe('wrong arguments are a TypeError', () => {
  class Relay {
    async unary(): Promise<RelayReply> {
      return reply();
    }
  }
  class Orders {
    async listOrders(): Promise<void> {}
  }
  const right = { server: new Server(), container: new Container(), service: RelayService, implementation: Relay };
  const SERVICE_RULE =
    'service must be a service definition, such as the UsersService that ts-proto generates or the .service of a client class';

  test.each<[Partial<Record<'server' | 'container' | 'service' | 'implementation' | 'options', unknown>>, string]>([
    [{ server: {} }, 'server must be a Server of @grpc/grpc-js, not {}'],
    [{ container: undefined }, 'container must be an inversify Container, not undefined'],
    [{ container: Relay }, 'container must be an inversify Container, not [class Relay]'],
    [{ service: 'Relay' }, `${SERVICE_RULE}, not 'Relay'`],
    [{ service: {} }, `${SERVICE_RULE}, not {}`],
    [{ service: Object.create(null) }, `${SERVICE_RULE}, not [Object: null prototype] {}`],
    [{ implementation: new Relay() }, 'implementation must be a class, not Relay {}'],
    [{ implementation: () => new Relay() }, 'implementation must be a class, not [Function: implementation]'],
    [
      { implementation: Orders },
      "Orders has none of the service's methods (unary, serverStream, clientStream, bidi): did you mean another class?",
    ],
    [{ options: null }, 'options must be an object, not null'],
    [{ options: { onerror() {} } }, 'unknown option "onerror"; it takes onError'],
    [{ options: { onError: 'log' } }, "onError must be a function, not 'log'"],
  ])('%p', (wrong, complaint) => {
    const { server, container, service, implementation, options } = { options: {}, ...right, ...wrong };
    expect(() =>
      addGrpcService(server as never, container as never, service as never, implementation as never, options as never),
    ).toThrow(new TypeError(`addGrpcService: ${complaint}`));
  });

  test('a client class in place of its service', () => {
    expect(() => addGrpcService(right.server, right.container, RelayClient as never, Relay)).toThrow(
      `addGrpcService: ${SERVICE_RULE}, not [class ServiceClientImpl extends Client]`,
    );
  });
});

let sessions = 0;

@injectable()
class Session {
  readonly id = ++sessions;
}

@injectable()
class Repository {
  constructor(@inject(Session) readonly session: Session) {}
}

@injectable()
class Sessions {
  constructor(
    @inject(Session) private readonly session: Session,
    @inject(Repository) private readonly repository: Repository,
  ) {}

  async unary(): Promise<RelayReply> {
    return reply(`${this.session.id} ${this.repository.session.id}`);
  }

  async *serverStream(): AsyncIterable<RelayReply> {}
}

function counting(): { Relay: Newable<object>; made: () => number } {
  let made = 0;
  @injectable()
  class Relay {
    constructor() {
      made++;
    }

    async unary(): Promise<RelayReply> {
      return reply();
    }
  }
  return { Relay, made: () => made };
}

async function callTwice(client: RelayClient): Promise<string[]> {
  const texts: string[] = [];
  for (let i = 0; i < 2; i++) {
    const call = startCall(client, 'unary');
    expect((await call.status).code).toBe(status.OK);
    texts.push(call.replies[0]!.text);
  }
  return texts;
}
