import {
  Server,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { listen } from '../contestants/grpc-js-frontend.js';
import {
  ChainService,
  type GetUserRequest,
  type HoldReply,
  type HoldRequest,
  type ListUsersRequest,
  type User,
  UsersService,
} from '../generated/bench/v1/bench.js';
import { type ProcessOperations, serveParent } from '../harness/serve-parent.js';

/** The service at the end of every chain: plain grpc-js, the same for all contestants. */
export interface UsersProcess extends ProcessOperations {
  port(): number;
}

const user: User = { id: 'ada', name: 'Ada Lovelace', email: 'ada@example.com' };

const server = new Server();
server.addService(UsersService, {
  getUser(_call: ServerUnaryCall<GetUserRequest, User>, callback: sendUnaryData<User>) {
    callback(null, user);
  },

  listUsers(call: ServerWritableStream<ListUsersRequest, User>) {
    for (let sent = 0; sent < call.request.count; sent++) {
      call.write(user);
    }
    call.end();
  },

  chat(call: ServerDuplexStream<GetUserRequest, User>) {
    call.on('data', () => call.write(user));
    call.on('end', () => call.end());
  },
});
server.addService(ChainService, {
  hold(_call: ServerUnaryCall<HoldRequest, HoldReply>, _callback: sendUnaryData<HoldReply>) {},
});
const port = await listen(server);

serveParent<UsersProcess>({ port: () => port });
