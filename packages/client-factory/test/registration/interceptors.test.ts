import 'reflect-metadata';
import { InterceptingCall, type Interceptor, type InterceptorOptions, type NextCall, status } from '@grpc/grpc-js';
import {
  configureGrpcClientDefaults,
  createGrpcClient,
  type GrpcClient,
  GrpcClientFactory,
  type GrpcInterceptor,
  getGrpcClient,
  type InterceptorRegistration,
  runInCallContext,
} from '@grpc-di/client-factory';
import { CALL_KINDS, LeafClient, type RunningLeaf, startLeaf } from '@grpc-di/test-rig';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Container, inject, injectable, named } from 'inversify';
import { caseName, deferred } from '../call/served-calls.js';
import { FORMS, startChild } from '../propagation/child-call.js';

let leaf: RunningLeaf;
beforeAll(async () => {
  leaf = await startLeaf();
});
afterAll(async () => {
  await leaf[Symbol.asyncDispose]();
});

let container: Container;
beforeEach(() => {
  container = new Container();
});
afterEach(() => container.get(GrpcClientFactory).close({ cancelCalls: true }));

function register(...interceptors: InterceptorRegistration[]): void {
  createGrpcClient(container, LeafClient, { address: leaf.address, interceptors });
}

/** Makes an answered call, of a kind and form; returns the words that the call's interceptors left, in order. */
async function trail(
  client: GrpcClient<LeafClient>,
  options: Parameters<typeof startChild>[4] = {},
  kind: Parameters<typeof startChild>[1] = 'unary',
  form: Parameters<typeof startChild>[2] = 'promise',
): Promise<string[]> {
  const caseId = caseName();
  const outcome = startChild(client, kind, form, caseId, options);
  const arrival = await leaf.arrived(caseId);
  arrival.answer();
  expect(await outcome).toBeUndefined();
  const [words = ''] = arrival.metadata.get('x-trail').map(String);
  return words === '' ? [] : words.split(', ');
}

/** Adds its word to the call's trail: the outermost's comes first. */
const leaving =
  (word: string): Interceptor =>
  (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start: (metadata, listener, next) => {
        metadata.add('x-trail', word);
        next(metadata, listener);
      },
    });

let made = 0;
beforeEach(() => {
  made = 0;
});

/** Leaves the number of the object that it is, the first made being 1. */
@injectable()
class Numbered implements GrpcInterceptor {
  readonly number = ++made;

  intercept(options: InterceptorOptions, nextCall: NextCall): InterceptingCall {
    return leaving(String(this.number))(options, nextCall);
  }
}

describe.each(CALL_KINDS.flatMap((kind) => FORMS.map((form) => [kind, form] as const)))('%s, %s form', (kind, form) => {
  test("run for every call: the call's own outermost, then scope client, then scope channel, each in order", async () => {
    configureGrpcClientDefaults(container, {
      interceptors: [leaving('default channel'), { interceptor: leaving('default client'), scope: 'client' }],
    });
    register(leaving('channel 1'), { interceptor: leaving('client 1'), scope: 'client' });
    register({ interceptor: leaving('client 2'), scope: 'client' }, { interceptor: leaving('channel 2') });
    const client = getGrpcClient(container, LeafClient);
    const clients = ['default client', 'client 1', 'client 2', 'default channel', 'channel 1', 'channel 2'];
    const interceptors = Object.freeze([leaving('call 1'), leaving('call 2')]) as Interceptor[];
    const providers = Object.freeze([() => leaving('call 1'), () => leaving('call 2')]) as Array<() => Interceptor>;

    expect(await trail(client, {}, kind, form)).toEqual(clients);
    expect(await trail(client, { interceptors }, kind, form)).toEqual(['call 1', 'call 2', ...clients]);
    expect(await trail(client, { interceptor_providers: providers }, kind, form)).toEqual([
      'call 1',
      'call 2',
      ...clients,
    ]);
    expect(await trail(client, { interceptors: [], interceptor_providers: [] }, kind, form)).toEqual(clients);
  });

  test('that are objects of the container run with their own `this`', async () => {
    container.bind(Numbered).toSelf();
    register({ interceptor: Numbered }, { interceptor: Numbered, scope: 'client' });

    const client = getGrpcClient(container, LeafClient);
    expect(await trail(client, {}, kind, form)).toHaveLength(2);
    expect(await trail(client, {}, kind, form)).toHaveLength(2);
    expect(made).toBe(2);
  });

  test('that throw do so at the call site', () => {
    register(() => {
      throw new Error('no token');
    });

    expect(() => startChild(getGrpcClient(container, LeafClient), kind, form, caseName())).toThrow('no token');
  });

  test.each(['channel', 'client'] as const)('of scope %s, going on later, keep the parent', async (scope) => {
    const go = deferred();
    createGrpcClient(container, LeafClient, {
      address: leaf.address,
      enableCallContextPropagation: true,
      interceptors: [
        {
          interceptor: ({ method_definition }, nextCall) =>
            new InterceptingCall(nextCall({ method_definition }), {
              start: (metadata, listener, next) => void go.promise.finally(() => next(metadata, listener)),
            }),
          scope,
        },
      ],
    });
    const client = getGrpcClient(container, LeafClient);
    const controller = new AbortController();
    const [first, second] = [caseName(), caseName()];
    const deadline = Date.now() + 60_000;
    await runInCallContext({ deadline, signal: controller.signal }, async () => {
      const outcomes = [startChild(client, kind, form, first), startChild(client, kind, form, second)];
      go.resolve();
      const [arrival, other] = [await leaf.arrived(first), await leaf.arrived(second)];
      arrival.answer();
      expect(await outcomes[0]).toBeUndefined();
      controller.abort();

      // The header counts from its arrival.
      expect(Math.abs(arrival.deadline - deadline)).toBeLessThan(5_000);
      expect(await outcomes[1]).toMatchObject({ code: status.CANCELLED, cause: { name: 'CallCancelledError' } });
      await other.cancelled;
    });
  });
});

describe('scope channel', () => {
  test('is resolved once, at the first use, for all objects of the registration', async () => {
    container.bind(Numbered).toSelf().inTransientScope();
    register({ interceptor: Numbered });
    expect(made).toBe(0);

    const [first, second] = await Promise.all([container.getAsync(LeafClient), container.getAsync(LeafClient)]);
    const third = container.get(GrpcClientFactory).createClient(LeafClient);
    const fourth = container.get(GrpcClientFactory).createClient(LeafClient, undefined, { address: leaf.address });

    for (const client of [first, second, third, fourth]) {
      expect(await trail(client as GrpcClient<LeafClient>)).toEqual(['1']);
    }
    expect(made).toBe(1);
  });

  test('is resolved once for each name', async () => {
    container.bind(Numbered).toSelf();
    register({ interceptor: Numbered });
    createGrpcClient(container, LeafClient, {
      name: 'other',
      address: leaf.address,
      interceptors: [{ interceptor: Numbered }],
    });

    expect(await trail(getGrpcClient(container, LeafClient))).toEqual(['1']);
    expect(await trail(getGrpcClient(container, LeafClient, 'other'))).toEqual(['2']);
  });

  test('what validate() resolved is what the first use takes', async () => {
    container.bind(Numbered).toSelf();
    register({ interceptor: Numbered });
    const factory = container.get(GrpcClientFactory);
    factory.validate();
    factory.validate();

    expect(await trail(getGrpcClient(container, LeafClient))).toEqual(['1']);
    expect(made).toBe(1);
  });

  test("comes from the registration's container, whoever asks", async () => {
    container.bind<GrpcInterceptor>('trail').toConstantValue({ intercept: leaving('parent') });
    register({ interceptor: 'trail' });
    const child = new Container({ parent: container });
    child.bind<GrpcInterceptor>('trail').toConstantValue({ intercept: leaving('child') });

    expect(await trail(getGrpcClient(child, LeafClient))).toEqual(['parent']);
    expect(await trail(getGrpcClient(container, LeafClient))).toEqual(['parent']);
  });

  test('may be bound in a parent of that', async () => {
    container.bind(Numbered).toSelf();
    const child = new Container({ parent: container });
    createGrpcClient(child, LeafClient, { address: leaf.address, interceptors: [{ interceptor: Numbered }] });

    expect(await trail(getGrpcClient(child, LeafClient))).toEqual(['1']);
    await child.get(GrpcClientFactory).close();
    register();
  });

  test('is tried again after a failure', async () => {
    let attempts = 0;
    container.bind<GrpcInterceptor>('trail').toDynamicValue(() => {
      attempts++;
      if (attempts === 1) {
        throw new Error('the vault is sealed');
      }
      return { intercept: leaving('open') };
    });
    register({ interceptor: 'trail' });

    expect(() => getGrpcClient(container, LeafClient)).toThrow('the vault is sealed');
    expect(await trail(getGrpcClient(container, LeafClient))).toEqual(['open']);
  });
});

describe('an interceptor that needs a client of its own', () => {
  @injectable()
  class Token implements GrpcInterceptor {
    constructor(@inject(LeafClient) @named('tokens') private readonly tokens: GrpcClient<LeafClient>) {}

    intercept(options: InterceptorOptions, nextCall: NextCall): InterceptingCall {
      return new InterceptingCall(nextCall(options), {
        start: (metadata, listener, next) => {
          const goOn = async (): Promise<void> => {
            const [token = 'none'] = await trail(this.tokens);
            metadata.add('x-trail', token);
            next(metadata, listener);
          };
          void goOn();
        },
      });
    }
  }

  test.each(['channel', 'client'] as const)('gets it, in scope %s', async (scope) => {
    container.bind(Token).toSelf();
    register({ interceptor: Token, scope });
    createGrpcClient(container, LeafClient, {
      name: 'tokens',
      address: leaf.address,
      interceptors: [leaving('token')],
    });

    expect(await trail(getGrpcClient(container, LeafClient))).toEqual(['token']);
  });

  test('that has the interceptor itself, from the defaults, is an error that says so', () => {
    container.bind(Token).toSelf();
    register();
    createGrpcClient(container, LeafClient, { name: 'tokens', address: leaf.address });
    configureGrpcClientDefaults(container, { interceptors: [{ interceptor: Token }] });

    expect(() => getGrpcClient(container, LeafClient)).toThrow(
      "gRPC client 'tokens': its interceptor Token needs the client itself: give it one of another name, registered " +
        'without that interceptor',
    );
    expect(() => container.get(GrpcClientFactory).validate()).toThrow(/2 gRPC client\(s\) cannot be used/);
  });
});

describe('scope client', () => {
  const clientScope = { interceptor: Numbered, scope: 'client' } as const;

  test('is resolved for each created client, however that is asked for', async () => {
    container.bind(Numbered).toSelf().inTransientScope();
    register(clientScope);
    createGrpcClient(container, LeafClient, { name: 'other', address: leaf.address, interceptors: [clientScope] });
    @injectable()
    class Users {
      constructor(
        @inject(LeafClient) readonly bare: GrpcClient<LeafClient>,
        @inject(LeafClient) @named('other') readonly other: GrpcClient<LeafClient>,
      ) {}
    }
    container.bind(Users).toSelf();
    const factory = container.get(GrpcClientFactory);
    const { bare, other } = container.get(Users);
    const clients = [
      bare,
      other,
      getGrpcClient(container, LeafClient),
      factory.createClient(LeafClient),
      factory.createClient(LeafClient, 'other'),
      factory.createClient(LeafClient, undefined, { address: leaf.address }),
      (await container.getAsync(LeafClient)) as GrpcClient<LeafClient>,
    ];

    const numbers = [];
    for (const client of clients) {
      numbers.push(...(await trail(client)));
    }

    expect(numbers.toSorted()).toEqual(['1', '2', '3', '4', '5', '6', '7']);
  });

  test.each([
    ['the client', []],
    ['the defaults', [clientScope]],
  ])('shares the request scope of who asks, registered with %s', async (_what, ofDefaults) => {
    @injectable()
    class Request {}
    const intercepted: unknown[] = [];
    @injectable()
    class Recorder implements GrpcInterceptor {
      constructor(@inject(Request) private readonly request: Request) {}

      intercept(options: InterceptorOptions, nextCall: NextCall): InterceptingCall {
        intercepted.push(this.request);
        return new InterceptingCall(nextCall(options));
      }
    }
    @injectable()
    class Users {
      constructor(
        @inject(Request) readonly request: Request,
        @inject(LeafClient) readonly client: GrpcClient<LeafClient>,
      ) {}
    }
    container.bind(Request).toSelf().inRequestScope();
    container.bind(Recorder).toSelf().inTransientScope();
    container.bind(Users).toSelf();
    const recorder = { interceptor: Recorder, scope: 'client' } as const;
    configureGrpcClientDefaults(container, { interceptors: ofDefaults.length === 0 ? [] : [recorder] });
    register(...(ofDefaults.length === 0 ? [recorder] : []));

    const [first, second] = [container.get(Users), container.get(Users)];
    await trail(first.client);
    await trail(second.client);
    await trail(first.client);

    expect(intercepted).toEqual([first.request, second.request, first.request]);
    expect(intercepted[0]).toBe(first.request);
    expect(intercepted[1]).toBe(second.request);
    expect(first.request).not.toBe(second.request);
  });

  test.each(['the client', 'the defaults'])('comes from the container that asks, registered with %s', async (what) => {
    container.bind<GrpcInterceptor>('trail').toConstantValue({ intercept: leaving('parent') });
    const registered = { interceptor: 'trail', scope: 'client' } as const;
    if (what === 'the client') {
      register(registered);
    } else {
      register();
      configureGrpcClientDefaults(container, { interceptors: [registered] });
    }
    const child = new Container({ parent: container });
    child.bind<GrpcInterceptor>('trail').toConstantValue({ intercept: leaving('child') });

    expect(await trail(getGrpcClient(child, LeafClient))).toEqual(['child']);
    expect(await trail(getGrpcClient(container, LeafClient))).toEqual(['parent']);
    expect(await trail(getGrpcClient(child, LeafClient))).toEqual(['child']);
  });

  test('may be bound in the child container alone', async () => {
    register(clientScope);
    const child = new Container({ parent: container });
    child.bind(Numbered).toSelf();

    expect(await trail(getGrpcClient(child, LeafClient))).toEqual(['1']);
    expect(() => getGrpcClient(container, LeafClient)).toThrow('which is not bound');
  });

  test('may be made asynchronously, for who asks asynchronously', async () => {
    container
      .bind<GrpcInterceptor>('trail')
      .toDynamicValue(async () => Promise.resolve({ intercept: leaving('later') }))
      .inTransientScope();
    register({ interceptor: 'trail', scope: 'client' });

    expect(await trail((await container.getAsync(LeafClient)) as GrpcClient<LeafClient>)).toEqual(['later']);
  });
});

test.each(['channel', 'client'] as const)('identifiers of scope %s: class, symbol, string', async (scope) => {
  const symbol = Symbol('trail');
  container.bind<GrpcInterceptor>(symbol).toConstantValue({ intercept: leaving('symbol') });
  container.bind<GrpcInterceptor>('trail').toConstantValue({ intercept: leaving('string') });
  container.bind(Numbered).toSelf();
  register({ interceptor: symbol, scope }, { interceptor: 'trail', scope }, { interceptor: Numbered, scope });

  expect(await trail(getGrpcClient(container, LeafClient))).toEqual(['symbol', 'string', '1']);
});

test('a class as compilers write it for old targets is a class', async () => {
  function Old(): void {}
  Old.prototype.intercept = leaving('old');
  const identifier = Old as unknown as new () => GrpcInterceptor;
  container.bind<GrpcInterceptor>(identifier).toDynamicValue(() => new identifier());
  register({ interceptor: identifier });

  expect(await trail(getGrpcClient(container, LeafClient))).toEqual(['old']);
});

test('what becomes of the options after the registration has no effect, and nothing is written to them', async () => {
  const entry: { interceptor: Interceptor; scope: 'channel' | 'client' } = {
    interceptor: leaving('entry'),
    scope: 'channel',
  };
  const interceptors: InterceptorRegistration[] = [entry, leaving('second')];
  register(...interceptors);
  createGrpcClient(container, LeafClient, { name: 'other', address: leaf.address, interceptors });
  interceptors.push(leaving('late'));
  entry.interceptor = leaving('changed');

  expect(await trail(getGrpcClient(container, LeafClient, 'other'))).toEqual(['entry', 'second']);
  expect(await trail(getGrpcClient(container, LeafClient))).toEqual(['entry', 'second']);
  expect(interceptors).toHaveLength(3);
});
