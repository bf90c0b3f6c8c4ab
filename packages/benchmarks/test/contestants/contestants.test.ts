import { on, once } from 'node:events';
import { type CallOptions, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Contestant, Frontend } from '../../dist/contestants/contestant.js';
import { contestants, loadContestant } from '../../dist/contestants/contestants.js';
import { ChainClient, type Count, FrontendClient, type User } from '../../dist/generated/bench/v1/bench.js';
import { UsersServer, user } from './users-server.js';

let users: UsersServer;
let address: string;
beforeAll(async () => {
  ({ users, address } = await UsersServer.start());
});
afterAll(() => users.close());

describe.each(Object.keys(contestants))('%s', (name) => {
  let contestant: Contestant;
  let frontend: Frontend;
  let client: FrontendClient;
  let chain: ChainClient;
  beforeAll(async () => {
    contestant = await loadContestant(name);
    frontend = await contestant.startFrontend(address);
    client = new FrontendClient(`127.0.0.1:${frontend.port}`, credentials.createInsecure());
    chain = new ChainClient(`127.0.0.1:${frontend.port}`, credentials.createInsecure());
  });
  afterAll(async () => {
    client.close();
    chain.close();
    await frontend.close();
  });

  test('answers with what the users service says', async () => {
    const greeted = await greet({});
    const list = await new Promise<Count>((resolve, reject) => client.readList({ count: 50 }, settle(resolve, reject)));
    const chat = await new Promise<Count>((resolve, reject) => client.readChat({ count: 50 }, settle(resolve, reject)));

    expect(greeted).toEqual(user('ada'));
    expect(list).toEqual({ count: 50 });
    expect(chat).toEqual({ count: 50 });
  });

  test('answers each batch of a stream when its calls have ended, with so many in flight', async () => {
    users.mostAtOnce = 0;
    const follow = client.follow();
    const answers = on(follow, 'data', { close: ['end'] });

    // The next batch goes when the last one is answered.
    follow.write({ calls: 7, inFlight: 3 });
    const first = await answers.next();
    const { mostAtOnce } = users;
    follow.write({ calls: 2, inFlight: 16 });
    const second = await answers.next();
    follow.end();
    const last = await answers.next();

    expect(first.value).toEqual([{ count: 7 }]);
    expect(mostAtOnce).toBeLessThanOrEqual(3);
    expect(second.value).toEqual([{ count: 2 }]);
    expect(last.done).toBe(true);
  });

  test('passes a deadline on, or does not, as it says', async () => {
    const deadline = Date.now() + 60_000;

    await greet({ deadline });

    const arrived = Number(users.deadline);
    if (contestant.passesOn.deadline) {
      // It travels as a timeout, which each service adds to its own now.
      expect(Math.abs(arrived - deadline)).toBeLessThan(5_000);
    } else {
      expect(arrived).toBe(Infinity);
    }
  });

  test('passes a cancel on, or does not, as it says', async () => {
    const arriving = users.nextHeld();
    const { call, error } = hold('ada');
    const upstream = await arriving;
    const cancelled = once(upstream, 'cancelled');

    call.cancel();
    expect((await error)?.code).toBe(status.CANCELLED);

    if (contestant.passesOn.cancellation) {
      await cancelled;
    } else {
      // On the way of this call a cancel would have been before it.
      expect(await hold('answered').error).toBeNull();
      expect(upstream.cancelled).toBe(false);
    }
  });

  function greet(options: CallOptions): Promise<User> {
    return new Promise((resolve, reject) =>
      client.greet({ id: 'ada' }, new Metadata(), options, settle(resolve, reject)),
    );
  }

  function hold(id: string) {
    const { promise: error, resolve } = withResolvers<ServiceError | null>();
    const call = chain.hold({ id }, (failure) => resolve(failure));
    return { call, error };
  }
});

function settle<T>(resolve: (value: T) => void, reject: (error: Error) => void) {
  return (error: ServiceError | null, value?: T) => (error === null ? resolve(value!) : reject(error));
}

/** Node 20 has no Promise.withResolvers(). */
function withResolvers<T>() {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((settled) => {
    resolve = settled;
  });
  return { promise, resolve };
}
