import 'reflect-metadata';
import { credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import {
  type CallCredentialsFunction,
  currentCallContext,
  type GrpcClientOptions,
  runInCallContext,
} from '@grpc-di/client-factory';
import { CALL_KINDS, type CallKind } from '@grpc-di/test-rig';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  type ConnectedClient,
  closeAll,
  connect,
  deferred,
  errorOf,
  messagesOf,
  REPLY,
  REQUEST,
  type StartedCall,
  start,
  stoodStill,
} from '../call/served-calls.js';
import { type SecureServer, startSecureServer } from './secure-server.js';

type Request = Parameters<CallCredentialsFunction>[0];

let server: SecureServer;
beforeAll(async () => {
  server = await startSecureServer();
});
afterAll(async () => {
  await closeAll();
  await server[Symbol.asyncDispose]();
});

beforeEach(() => {
  server.arrived.length = 0;
  server.handle = ({ answer }) => answer();
});

let opened: ConnectedClient[] = [];
afterEach(async () => {
  for (const one of opened) {
    await one[Symbol.asyncDispose]();
  }
  opened = [];
});

function clientWith(callCredentials: GrpcClientOptions['callCredentials'], options: GrpcClientOptions = {}) {
  const connected = connect(server.url, {
    credentials: server.trusting,
    callCredentials: callCredentials!,
    ...options,
  });
  opened.push(connected);
  return connected.client;
}

/** grpc-js's own credentials, which bring one entry. */
function bringing(name: string, value: string) {
  return credentials.createFromMetadataGenerator((_call, give) => {
    const metadata = new Metadata();
    metadata.set(name, value);
    give(null, metadata);
  });
}

describe.each(CALL_KINDS)('a %s call', (kind) => {
  test('brings the metadata of its own, its client’s and its channel’s credentials, in this order', async () => {
    const combined = credentials.combineChannelCredentials(server.trusting, bringing('x-token', 'channel'));
    const metadata = new Metadata();
    metadata.set('x-token', 'function');
    const client = clientWith(
      [bringing('x-token', 'grpc-js'), () => metadata, async () => ({ 'x-token': 'promise', 'X-Other': 'yes' })],
      { credentials: combined },
    );

    for (let i = 0; i < 2; i++) {
      await messagesOf(
        start(client, kind, { credentials: bringing('x-token', 'call'), metadata: { 'x-token': 'metadata' } }),
      );
    }

    expect(server.arrived.map((arrived) => [arrived.get('x-token'), arrived.get('x-other')])).toEqual(
      Array(2).fill([['metadata, call, grpc-js, function, promise, channel'], ['yes']]),
    );
    expect(metadata.toJSON()).toEqual({ 'x-token': ['function'] });
  });

  test('tells its provider where it goes, and until when', async () => {
    const requests: Request[] = [];
    const client = clientWith([(request) => (requests.push(request), {})]);
    const deadline = Date.now() + 60_000;

    await messagesOf(start(client, kind, { deadline }));
    await messagesOf(start(client, kind));

    const service = 'grpc_di.test.v1.Leaf';
    const rest = {
      serviceUrl: `https://localhost/${service}`,
      method: `/${service}/${kind[0]!.toUpperCase()}${kind.slice(1)}`,
    };
    expect(requests.map(({ serviceUrl, method, deadline }) => ({ serviceUrl, method, deadline }))).toEqual([
      { ...rest, deadline },
      { ...rest, deadline: Infinity },
    ]);
  });

  test.each<[title: string, provide: CallCredentialsFunction, code: status, words: string]>([
    [
      'an Error',
      () => {
        throw new Error('no token');
      },
      status.UNKNOWN,
      'no token',
    ],
    [
      'a rejection',
      async () => {
        throw new Error('no token');
      },
      status.UNKNOWN,
      'no token',
    ],
  ])('fails with the error of its provider as cause: %s', async (_title, provide, code, words) => {
    const error = await errorOf(start(clientWith([provide]), kind));

    expect(error).toMatchObject({ code, details: `Getting metadata from plugin failed with error: ${words}` });
    expect(error.cause).toMatchObject({ message: words });
    expect(server.arrived).toEqual([]);
  });

  test('ends in time while its provider never answers, and nothing leaves', async () => {
    const asked = deferred<Request>();
    const client = clientWith([
      (request) => {
        asked.resolve(request);
        return new Promise(() => {});
      },
    ]);
    const call = start(client, kind, { timeoutMs: 200 });
    const failed = errorOf(call);
    const { signal } = await asked.promise;

    expect(await failed).toMatchObject({ code: status.DEADLINE_EXCEEDED });
    expect(signal).toMatchObject({ aborted: true, reason: { name: 'CallCancelledError', code: 4 } });
    expect(server.arrived).toEqual([]);
  });
});

const thrownObject =
  (properties: object): CallCredentialsFunction =>
  () => {
    throw Object.assign(new Error('denied'), properties);
  };

const SECRET = 'Bearer s3cret';

describe('a provider that fails', () => {
  const FAILED = 'Getting metadata from plugin failed with error: ';
  const reject = (reason: unknown) => async () => {
    throw reason;
  };
  const raise = (thrown: unknown) => () => {
    throw thrown;
  };
  const returning = (value: unknown) => () => value as Metadata;
  const RETURNS = 'what a provider of call credentials returns';

  test.each<[title: string, provide: CallCredentialsFunction, code: status, details: string]>([
    ['with a gRPC code', thrownObject({ code: status.UNAUTHENTICATED }), status.UNAUTHENTICATED, `${FAILED}denied`],
    ['with UNAVAILABLE', thrownObject({ code: status.UNAVAILABLE }), status.UNAVAILABLE, `${FAILED}denied`],
    [
      'with a code that must not come from here (gRFC A54)',
      thrownObject({ code: status.NOT_FOUND }),
      status.INTERNAL,
      `Invalid status from control plane: 5 NOT_FOUND ${FAILED}denied`,
    ],
    ['with an HTTP status as its code', thrownObject({ code: 401 }), status.UNKNOWN, `${FAILED}denied`],
    ['with a negative code', thrownObject({ code: -1 }), status.UNKNOWN, `${FAILED}denied`],
    ['with a code of Node', thrownObject({ code: 'ECONNREFUSED' }), status.UNKNOWN, `${FAILED}denied`],
    [
      // Its code is 23.
      'with the DOMException of its own time limit',
      () =>
        new Promise((_resolve, rejectIt) => {
          rejectIt(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
        }),
      status.UNKNOWN,
      `${FAILED}The operation was aborted due to timeout`,
    ],
    [
      'with an object that is no Error',
      raise({ code: status.PERMISSION_DENIED, message: 'denied' }),
      status.PERMISSION_DENIED,
      `${FAILED}denied`,
    ],
    ['with undefined', raise(undefined), status.UNKNOWN, `${FAILED}undefined`],
    ['with null', raise(null), status.UNKNOWN, `${FAILED}null`],
    ['with a string', raise('no'), status.UNKNOWN, `${FAILED}'no'`],
    ['later, with undefined', reject(undefined), status.UNKNOWN, `${FAILED}undefined`],
    ['later, with null', reject(null), status.UNKNOWN, `${FAILED}null`],
    ['later, with a number', reject(7), status.UNKNOWN, `${FAILED}7`],
    [
      'by returning nothing',
      returning(undefined),
      status.UNKNOWN,
      `${FAILED}${RETURNS} must be a Metadata of @grpc/grpc-js or an object of strings, not undefined`,
    ],
    [
      'by returning a list',
      returning([['authorization', 'x']]),
      status.UNKNOWN,
      `${FAILED}${RETURNS} must be a Metadata of @grpc/grpc-js or an object of strings, not an array`,
    ],
    [
      'by returning the token itself',
      returning(SECRET),
      status.UNKNOWN,
      `${FAILED}${RETURNS} must be a Metadata of @grpc/grpc-js or an object of strings, not a value of type string`,
    ],
    [
      'by returning a number for a string',
      returning({ 'x-user': 5 }),
      status.UNKNOWN,
      `${FAILED}${RETURNS} 'x-user' must be a string, or a Buffer under a name in -bin, not a value of type number`,
    ],
  ])('%s', async (_title, provide, code, details) => {
    let thrown: unknown;
    const client = clientWith([
      async (request) => {
        try {
          return await provide(request);
        } catch (error) {
          thrown = error;
          throw error;
        }
      },
    ]);

    const call = start(client, 'unary');

    const error = await errorOf(call);
    expect(error).toMatchObject({ code, details });
    if (thrown !== undefined) {
      expect(error.cause).toBe(thrown);
    }
    expect(await call.status).toMatchObject({ code });
    expect(server.arrived).toEqual([]);
  });

  test('says nothing of the secret, where that is what metadata cannot hold', async () => {
    const error = await errorOf(start(clientWith([() => ({ authorization: `${SECRET}\n` })]), 'unary'));

    expect(error.code).toBe(status.UNKNOWN);
    expect(error.details).toBe(
      `${FAILED}${RETURNS} 'authorization' has characters that metadata cannot hold, such as a line break at its end`,
    );
    expect(`${error.stack} ${(error.cause as Error).stack}`).not.toContain('s3cret');
  });

  test('leaves its client good for the next call', async () => {
    let fails = true;
    const client = clientWith([
      () => {
        if (fails) {
          throw new Error('not yet');
        }
        return {};
      },
    ]);
    await errorOf(start(client, 'unary'));
    fails = false;

    expect(await client.unary(REQUEST)).toEqual(REPLY);
  });
});

describe('grpc-js’s credentials that fail with nothing', () => {
  const never = credentials.createFromMetadataGenerator((_call, give) => {
    give(null);
  });

  test.each<[title: string, call: () => StartedCall]>([
    ['of the client', () => start(clientWith([never]), 'unary')],
    ['of the call', () => start(clientWith([]), 'unary', { credentials: never })],
    ['of the call, beside a provider', () => start(clientWith([() => ({})]), 'unary', { credentials: never })],
  ])('%s fail the call, and not the process', async (_title, call) => {
    expect(await errorOf(call())).toMatchObject({
      code: status.UNKNOWN,
      details: 'Getting metadata from plugin failed with error: null',
    });
  });
});

describe('the signal that a provider gets', () => {
  /** A call whose provider has its signal and gives nothing. */
  async function waiting(kind: CallKind, startCall: (client: ConnectedClient['client']) => StartedCall) {
    const asked = deferred<AbortSignal>();
    const released = deferred<Record<string, string>>();
    const client = clientWith([
      ({ signal }) => {
        asked.resolve(signal);
        return released.promise;
      },
    ]);
    const call = startCall(client);
    const failed = errorOf(call);
    return { call, failed, signal: await asked.promise, release: () => released.resolve({}) };
  }

  test.each(CALL_KINDS)('aborts when a %s call is cancelled, and the late answer sends nothing', async (kind) => {
    const { call, failed, signal, release } = await waiting(kind, (client) => start(client, kind));
    expect(signal.aborted).toBe(false);

    call.cancel('enough');

    expect(await failed).toMatchObject({ code: status.CANCELLED });
    expect(signal).toMatchObject({ aborted: true, reason: { name: 'CallCancelledError', code: 1 } });
    release();
    await stoodStill(() => server.arrived.length);
    expect(server.arrived).toEqual([]);
  });

  test('aborts with the call’s own signal', async () => {
    const user = new AbortController();
    const { failed, signal } = await waiting('unary', (client) => start(client, 'unary', { signal: user.signal }));
    const reason = new Error('gone');

    user.abort(reason);

    expect(await failed).toMatchObject({ code: status.CANCELLED, cause: reason });
    expect([signal.aborted, (signal.reason as Error).cause]).toEqual([true, reason]);
  });

  test('aborts when the parent is cancelled', async () => {
    const asked = deferred<AbortSignal>();
    const client = clientWith(
      [
        ({ signal }) => {
          asked.resolve(signal);
          return new Promise(() => {});
        },
      ],
      { enableCallContextPropagation: true },
    );
    const parent = new AbortController();
    const failed = runInCallContext({ signal: parent.signal }, () => errorOf(start(client, 'unary')));
    const signal = await asked.promise;

    parent.abort();

    const error = await failed;
    expect(error).toMatchObject({ code: status.CANCELLED, cause: { name: 'CallCancelledError' } });
    expect(signal.reason).toBe(error.cause);
  });

  test('aborts when the factory is closed with cancelCalls', async () => {
    const { failed, signal } = await waiting('unary', (client) => start(client, 'unary'));

    await opened[0]!.factory.close({ cancelCalls: true });

    expect(await failed).toMatchObject({ code: status.CANCELLED });
    expect(signal.aborted).toBe(true);
  });

  test('has aborted for a provider that reads it only after the call has failed', async () => {
    const asked = deferred<Request>();
    const client = clientWith([
      (request) => {
        asked.resolve(request);
        return new Promise(() => {});
      },
    ]);
    const call = start(client, 'unary');
    const failed = errorOf(call);
    const request = await asked.promise;

    call.cancel('enough');
    await failed;

    expect(request.signal).toMatchObject({ aborted: true, reason: { name: 'CallCancelledError', code: 1 } });
  });

  test('does not abort when the call succeeds, read before or after', async () => {
    const requests: Request[] = [];
    const client = clientWith([(request) => (requests.push(request), {})]);
    const call = client.unary(REQUEST);
    await call;
    const early: AbortSignal[] = [];
    const readEarly = clientWith([({ signal }) => (early.push(signal), {})]);
    await readEarly.unary(REQUEST);

    expect(requests[0]!.signal.aborted).toBe(false);
    expect(early[0]!.aborted).toBe(false);
  });

  test('is made for those alone who read it', async () => {
    const RealController = globalThis.AbortController;
    let made = 0;
    globalThis.AbortController = class extends RealController {
      constructor() {
        super();
        made++;
      }
    };
    try {
      await clientWith([({ deadline }) => ({ 'x-deadline': String(deadline) })]).unary(REQUEST);
      expect(made).toBe(0);
      await clientWith([({ signal }) => ({ 'x-aborted': String(signal.aborted) })]).unary(REQUEST);
      expect(made).toBe(1);
    } finally {
      globalThis.AbortController = RealController;
    }
  });
});

test('a provider runs once per attempt of a call', async () => {
  let attempts = 0;
  server.handle = ({ answer, fail }) => (++attempts < 3 ? fail(status.UNAVAILABLE, 'again') : answer());
  let tokens = 0;
  const client = clientWith([() => ({ 'x-token': `token ${++tokens}` })], {
    serviceConfig: {
      methodConfig: [
        {
          name: [{}],
          retryPolicy: {
            maxAttempts: 4,
            initialBackoff: '0.01s',
            maxBackoff: '0.01s',
            backoffMultiplier: 1,
            retryableStatusCodes: ['UNAVAILABLE'],
          },
        },
      ],
    },
  });

  expect(await client.unary(REQUEST)).toEqual(REPLY);

  expect(server.arrived.map((metadata) => metadata.get('x-token'))).toEqual([['token 1'], ['token 2'], ['token 3']]);
});

test('the cause of a call that failed is what its last attempt failed with', async () => {
  let attempts = 0;
  const client = clientWith(
    [
      () => {
        attempts++;
        throw Object.assign(new Error(`attempt ${attempts}`), {
          code: attempts === 1 ? status.UNAVAILABLE : status.PERMISSION_DENIED,
        });
      },
    ],
    {
      serviceConfig: {
        methodConfig: [
          {
            name: [{}],
            retryPolicy: {
              maxAttempts: 3,
              initialBackoff: '0.01s',
              maxBackoff: '0.01s',
              backoffMultiplier: 1,
              retryableStatusCodes: ['UNAVAILABLE'],
            },
          },
        ],
      },
    },
  );

  const error = await errorOf(start(client, 'unary'));

  expect(error.details).toBe(`Getting metadata from plugin failed with error: attempt ${attempts}`);
  expect(error.cause).toMatchObject({ message: `attempt ${attempts}` });
});

test('a provider runs in the context of its call, also on a connection that another call opened', async () => {
  const contexts: unknown[] = [];
  const client = clientWith([() => (contexts.push(currentCallContext()), {})]);
  await client.unary(REQUEST);

  await runInCallContext({}, async (context) => {
    await client.unary(REQUEST);
    expect(contexts).toEqual([undefined, context]);
  });
});

test('a provider may call other services, in the context of the call that it is for', async () => {
  const tokens = clientWith([], { enableCallContextPropagation: true });
  const deadlines: number[] = [];
  const client = clientWith(
    [
      async () => {
        const call = tokens.unary(REQUEST);
        await call;
        return { 'x-token': (await call).text };
      },
    ],
    { enableCallContextPropagation: true },
  );
  server.handle = ({ call, answer }) => {
    deadlines.push(Number(call.getDeadline()));
    answer();
  };
  const deadline = Date.now() + 60_000;

  await runInCallContext({ deadline }, () => client.unary(REQUEST));

  expect(server.arrived.map((metadata) => metadata.get('x-token'))).toEqual([[], [REPLY.text]]);
  // The wire has the time that is left, in whole ms, and the trip takes some.
  for (const seen of deadlines) {
    expect(Math.abs(seen - deadline)).toBeLessThan(5_000);
  }
});

test('the errors of two providers end one call once', async () => {
  const client = clientWith([() => Promise.reject(new Error('first')), () => Promise.reject(new Error('second'))]);

  const error: ServiceError = await errorOf(start(client, 'unary'));

  expect(error.details).toBe('Getting metadata from plugin failed with error: first');
  expect(error.cause).toMatchObject({ message: 'first' });
});
