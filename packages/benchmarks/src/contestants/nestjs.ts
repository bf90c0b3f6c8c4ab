import 'reflect-metadata';
import { fileURLToPath } from 'node:url';
import { type CallOptions, Metadata, type Server, type ServerDuplexStream, type ServerUnaryCall } from '@grpc/grpc-js';
import { Controller, type DynamicModule, Inject, Module, type OnModuleInit } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  type ClientGrpc,
  ClientsModule,
  GrpcMethod,
  type GrpcOptions,
  GrpcStreamMethod,
  type MicroserviceOptions,
  Transport,
} from '@nestjs/microservices';
import { concatMap, count, map, mergeMap, type Observable, range } from 'rxjs';
import type { Batch, Count, GetUserRequest, HoldReply, HoldRequest, User } from '../generated/bench/v1/bench.js';
import type { Contestant, Frontend } from './contestant.js';
import { listen } from './grpc-js-frontend.js';

/**
 * The deadline goes along in the options that a client's method takes after the metadata. NestJS gives the client of a
 * request stream the metadata only, so that `Chat` goes without. A unary handler is not told of a cancel: its Observable
 * stays subscribed, and so does the call that it makes.
 */
export const contestant: Contestant = {
  name: 'NestJS, deadline by hand',
  packages: [
    '@nestjs/common',
    '@nestjs/core',
    '@nestjs/microservices',
    '@grpc/grpc-js',
    '@grpc/proto-loader',
    'reflect-metadata',
    'rxjs',
  ],
  passesOn: { deadline: true, cancellation: false },
  startFrontend,
};

/** NestJS's typed clients are interfaces that its users write. */
interface UsersService {
  getUser(request: GetUserRequest, metadata: Metadata, options: CallOptions): Observable<User>;
  listUsers(request: Count, metadata: Metadata, options: CallOptions): Observable<User>;
  chat(requests: Observable<GetUserRequest>, metadata: Metadata): Observable<User>;
}

interface ChainService {
  hold(request: HoldRequest, metadata: Metadata, options: CallOptions): Observable<HoldReply>;
}

const upstreamClient = Symbol('upstream client');

const grpc = {
  package: 'bench.v1',
  protoPath: fileURLToPath(new URL('../../proto/bench/v1/bench.proto', import.meta.url)),
} satisfies GrpcOptions['options'];

@Controller()
class FrontendController implements OnModuleInit {
  private users!: UsersService;

  constructor(@Inject(upstreamClient) private readonly client: ClientGrpc) {}

  onModuleInit(): void {
    this.users = this.client.getService<UsersService>('Users');
  }

  @GrpcMethod('Frontend', 'Greet')
  greet(request: GetUserRequest, _: Metadata, call: ServerUnaryCall<GetUserRequest, User>): Observable<User> {
    return this.users.getUser(request, new Metadata(), { deadline: call.getDeadline() });
  }

  @GrpcMethod('Frontend', 'ReadList')
  readList(request: Count, _: Metadata, call: ServerUnaryCall<Count, Count>): Observable<Count> {
    return this.users.listUsers(request, new Metadata(), { deadline: call.getDeadline() }).pipe(counted());
  }

  @GrpcMethod('Frontend', 'ReadChat')
  readChat(request: Count): Observable<Count> {
    const requests = range(0, request.count).pipe(map(() => ({ id: 'ada' })));
    return this.users.chat(requests, new Metadata()).pipe(counted());
  }

  @GrpcStreamMethod('Frontend', 'Follow')
  follow(batches: Observable<Batch>, _: Metadata, call: ServerDuplexStream<Batch, Count>): Observable<Count> {
    const getUser = () => this.users.getUser({ id: 'ada' }, new Metadata(), { deadline: call.getDeadline() });
    return batches.pipe(
      concatMap(({ calls, inFlight }) => range(0, calls).pipe(mergeMap(getUser, inFlight), counted())),
    );
  }
}

@Controller()
class ChainController implements OnModuleInit {
  private next!: ChainService;

  constructor(@Inject(upstreamClient) private readonly client: ClientGrpc) {}

  onModuleInit(): void {
    this.next = this.client.getService<ChainService>('Chain');
  }

  @GrpcMethod('Chain', 'Hold')
  hold(request: HoldRequest, _: Metadata, call: ServerUnaryCall<HoldRequest, HoldReply>): Observable<HoldReply> {
    return this.next.hold(request, new Metadata(), { deadline: call.getDeadline() });
  }
}

@Module({ controllers: [FrontendController, ChainController] })
class FrontendModule {
  static callingTo(upstream: string): DynamicModule {
    const client = { name: upstreamClient, transport: Transport.GRPC, options: { ...grpc, url: upstream } } as const;
    return { module: FrontendModule, imports: [ClientsModule.register([client])] };
  }
}

async function startFrontend(upstream: string): Promise<Frontend> {
  let listening: Promise<number> | undefined;
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(FrontendModule.callingTo(upstream), {
    transport: Transport.GRPC,
    options: {
      ...grpc,
      url: '127.0.0.1:0',
      // NestJS does not tell which port it got. It shows grpc-js's server here, which may listen on one more.
      onLoadPackageDefinition(_, server: Server) {
        listening = listen(server);
      },
    },
    logger: false,
  });
  await app.listen();
  return {
    port: await listening!,
    close: () => app.close(),
  };
}

function counted(): (messages: Observable<unknown>) => Observable<Count> {
  return (messages) =>
    messages.pipe(
      count(),
      map((count) => ({ count })),
    );
}
