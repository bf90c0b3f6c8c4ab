import 'reflect-metadata';
import {
  type Client,
  connectivityState,
  makeGenericClientConstructor,
  type ServerUnaryCall,
  type ServiceError,
  type sendUnaryData,
} from '@grpc/grpc-js';
import {
  createGrpcClient,
  type GrpcClient,
  type GrpcClientConstructor,
  GrpcClientFactory,
  getGrpcClient,
} from '@grpc-di/client-factory';
import { type RunningServer, startServer } from '@grpc-di/test-rig';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Container } from 'inversify';

// An rpc may be called like a method of grpc-js's Client: the object is then the service's, not ours to call.

const NAMES = [
  'close',
  'getChannel',
  'waitForReady',
  'toString',
  'hasOwnProperty',
  'call',
  'channel',
  'defaults',
] as const;

const bytesOf = (text: string): Buffer => Buffer.from(text);

const service = Object.fromEntries(
  NAMES.map((name) => [
    name,
    {
      path: `/test.Doors/${name}`,
      requestStream: false,
      responseStream: false,
      requestSerialize: bytesOf,
      requestDeserialize: String,
      responseSerialize: bytesOf,
      responseDeserialize: String,
    },
  ]),
);

type Method = (request: string, callback: (error: ServiceError | null, response: string) => void) => unknown;
type DoorsClient = Client;
const DoorsClient = makeGenericClientConstructor(service, 'Doors') as unknown as GrpcClientConstructor<DoorsClient>;

const arrived: string[] = [];
let server: RunningServer;
beforeAll(async () => {
  server = await startServer((grpcServer) =>
    grpcServer.addService(
      service,
      Object.fromEntries(
        NAMES.map((name) => [
          name,
          ({ request }: ServerUnaryCall<string, string>, respond: sendUnaryData<string>) => {
            arrived.push(name);
            respond(null, `${name} of ${request}`);
          },
        ]),
      ),
    ),
  );
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

let container: Container;
beforeEach(() => {
  arrived.length = 0;
  container = new Container();
  createGrpcClient(container, DoorsClient, { address: server.address });
});
afterEach(() => container.get(GrpcClientFactory).close());

function doors(): Record<(typeof NAMES)[number], (request: string) => Promise<string>> & Record<string, Method> {
  return getGrpcClient(container, DoorsClient) as unknown as ReturnType<typeof doors>;
}

test.each(NAMES)('an rpc that is called %s works, without a callback and with one', async (name) => {
  const client = doors();

  expect(await client[name]('front')).toBe(`${name} of front`);
  expect(
    await new Promise((resolve) => {
      (client[name] as Method)('back', (_error, response) => resolve(response));
    }),
  ).toBe(`${name} of back`);
  // It closed nothing: neither the object nor the channel.
  expect(await client.close('garage')).toBe('close of garage');
});

test('the library calls none of them', async () => {
  const client = doors();
  const factory = container.get(GrpcClientFactory);
  factory.validate();
  await factory.waitForReady();
  expect(factory.getChannel('test.Doors').getConnectivityState(false)).toBe(connectivityState.READY);
  await client.call('shed');
  container.rebind(DoorsClient).toConstantValue({} as GrpcClient<DoorsClient>);
  await factory.close();

  expect(arrived).toEqual(['call']);
});
