import { Client } from '@grpc/grpc-js';
import { runInCallContext } from '@grpc-di/call-context';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { firstValueFrom, type Observable } from 'rxjs';
import type { User, UsersClient } from '../../../dist/generated/bench/v1/bench.js';
import { registries } from '../../../dist/measurements/start-up/registries/registries.js';
import { UsersServer, user } from '../../contestants/users-server.js';

let users: UsersServer;
let address: string;
beforeAll(async () => {
  ({ users, address } = await UsersServer.start());
});
afterAll(() => users.close());

test.each(Object.entries(registries))('the clients of %s call what they are registered with', async (_, load) => {
  const { registry } = await load();

  await registry.register([address, '127.0.0.1:1']);

  // For the clients that propagate it: without one they refuse to call.
  await runInCallContext({ timeoutMs: 5_000 }, async () => {
    expect(await getUser(registry.get(0), 'ada')).toEqual(user('ada'));
    await expect(getUser(registry.get(1), 'ada')).rejects.toThrow('UNAVAILABLE');
  });
});

/** With a callback, or as NestJS has it. */
async function getUser(client: unknown, id: string): Promise<User> {
  if (client instanceof Client) {
    return await new Promise((resolve, reject) =>
      (client as UsersClient).getUser({ id }, (error, user) => (error === null ? resolve(user) : reject(error))),
    );
  }
  return await firstValueFrom((client as { getUser(request: { id: string }): Observable<User> }).getUser({ id }));
}
