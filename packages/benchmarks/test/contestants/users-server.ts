import { EventEmitter, once } from 'node:events';
import {
  type Deadline,
  Server,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { listen } from '../../dist/contestants/grpc-js-frontend.js';
import {
  ChainService,
  type GetUserRequest,
  type HoldReply,
  type HoldRequest,
  type ListUsersRequest,
  type User,
  UsersService,
} from '../../dist/generated/bench/v1/bench.js';

/** What a frontend calls, and what arrives there. */
export class UsersServer {
  /** Of the last call of `GetUser`. */
  deadline: Deadline | undefined;
  /** How many calls of `GetUser` there were at one time. */
  mostAtOnce = 0;
  private running = 0;
  private readonly server = new Server();
  private readonly held = new EventEmitter();

  private constructor() {
    this.server.addService(UsersService, {
      getUser: (call: ServerUnaryCall<GetUserRequest, User>, callback: sendUnaryData<User>) => {
        this.deadline = call.getDeadline();
        this.running++;
        this.mostAtOnce = Math.max(this.mostAtOnce, this.running);
        setImmediate(() => {
          this.running--;
          callback(null, user(call.request.id));
        });
      },
      listUsers(call: ServerWritableStream<ListUsersRequest, User>) {
        for (let sent = 0; sent < call.request.count; sent++) {
          call.write(user(`${sent}`));
        }
        call.end();
      },
      chat(call: ServerDuplexStream<GetUserRequest, User>) {
        call.on('data', ({ id }: GetUserRequest) => call.write(user(id)));
        call.on('end', () => call.end());
      },
    });
    this.server.addService(ChainService, {
      hold: (call: ServerUnaryCall<HoldRequest, HoldReply>, callback: sendUnaryData<HoldReply>) => {
        if (call.request.id === 'answered') {
          callback(null, {});
        } else {
          this.held.emit('call', call);
        }
      },
    });
  }

  static async start(): Promise<{ users: UsersServer; address: string }> {
    const users = new UsersServer();
    const port = await listen(users.server);
    return { users, address: `127.0.0.1:${port}` };
  }

  /** The next call of `Hold` that stays: any but that of the id `answered`. */
  async nextHeld(): Promise<ServerUnaryCall<HoldRequest, HoldReply>> {
    const [call] = await once(this.held, 'call');
    return call;
  }

  close(): void {
    this.server.forceShutdown();
  }
}

export function user(id: string): User {
  return { id, name: `Name of ${id}`, email: `${id}@example.com` };
}
