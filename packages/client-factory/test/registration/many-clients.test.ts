import 'reflect-metadata';
import { type Client, makeClientConstructor } from '@grpc/grpc-js';
import {
  createGrpcClient,
  type GrpcClientConstructor,
  GrpcClientFactory,
  getGrpcClient,
} from '@grpc-di/client-factory';
import { LeafClient, LeafService } from '@grpc-di/test-rig';
import { expect, jest, test } from '@jest/globals';
import { type BindingConstraints, Container } from 'inversify';

// A registration must not look at all others. That is counted, and not timed: the requests to inversify, and the conditions
// of bindings that those consult.

const MANY = 200;
const address = 'https://users:50051';

interface Questions {
  requests: number;
  conditions: number;
}

/** Counts what one container is asked, from the first binding on. */
function countQuestions(container: Container): Questions {
  const questions: Questions = { requests: 0, conditions: 0 };
  for (const method of ['get', 'getAll', 'isBound', 'isCurrentBound', 'bind', 'unbind'] as const) {
    const original = container[method].bind(container) as (...args: unknown[]) => unknown;
    jest.spyOn(container, method).mockImplementation(((...args: unknown[]) => {
      questions.requests++;
      return method === 'bind' ? countingConditions(original(...args) as object, questions) : original(...args);
    }) as never);
  }
  return questions;
}

/** The fluent syntax of `bind`, each step of which returns the next one. */
function countingConditions(syntax: object, questions: Questions): object {
  return new Proxy(syntax, {
    get: (target, name) => {
      const step = (target as Record<string | symbol, (...args: unknown[]) => unknown>)[name]!.bind(target);
      return (...args: unknown[]) => {
        const [condition] = args as [(request: BindingConstraints) => boolean];
        const counting = (request: BindingConstraints): boolean => {
          questions.conditions++;
          return condition(request);
        };
        const next = name === 'when' ? step(counting) : step(...args);
        return typeof next === 'object' && next !== null && name !== 'getIdentifier'
          ? countingConditions(next, questions)
          : next;
      };
    },
  });
}

function classOf(service: string): GrpcClientConstructor<Client> {
  return makeClientConstructor({ Unary: { ...LeafService.unary, path: `/${service}/Unary` } }, service);
}

/** What each registration asks, of as many as there are. */
function questionsOfEach(register: (container: Container, i: number) => void): Questions[] {
  const container = new Container();
  const questions = countQuestions(container);
  return Array.from({ length: MANY }, (_, i) => {
    questions.requests = 0;
    questions.conditions = 0;
    register(container, i);
    return { ...questions };
  });
}

test.each<[string, (container: Container, i: number) => void]>([
  ['names of one class', (container, i) => createGrpcClient(container, LeafClient, { name: `leaf ${i}`, address })],
  ['classes', (container, i) => createGrpcClient(container, classOf(`test.v1.Service${i}`), { address })],
  [
    'registrations that merge into an earlier one',
    (container, i) => createGrpcClient(container, LeafClient, { address, timeoutMs: i }),
  ],
])('however many %s there are, the next one asks inversify no more', (_what, register) => {
  const each = questionsOfEach(register);

  expect(each.at(-1)).toEqual(each[2]);
  expect(each[2]?.requests).toBeGreaterThan(0);
  expect(each[2]?.conditions).toBeGreaterThan(0);
});

test('what restore() takes of many is gone, and nothing else', async () => {
  const container = new Container();
  const register = (from: number, to: number): void => {
    for (let i = from; i < to; i++) {
      createGrpcClient(container, LeafClient, { name: `leaf ${i}`, address });
    }
  };
  register(0, 50);
  container.snapshot();
  register(50, 60);
  container.snapshot();
  register(60, MANY);
  const meanwhile = getGrpcClient(container, LeafClient, 'leaf 55');
  container.restore();
  container.restore();

  createGrpcClient(container, LeafClient, { name: 'again', address });
  const factory = container.get(GrpcClientFactory);

  expect(() => factory.createClient(LeafClient, 'leaf 50')).toThrow("is not registered as 'leaf 50'");
  expect(() => getGrpcClient(container, LeafClient, 'leaf 50')).toThrow(/, 'leaf 49', 'again'\.$/);
  expect(factory.createClient(LeafClient, 'leaf 49')).toBeInstanceOf(LeafClient);
  await expect(meanwhile.unary({ id: '', script: '', path: [] })).rejects.toThrow('its binding was removed');
  await factory.close();
});

test('restore() is noticed also where nothing was registered, but a class unbound, in between', async () => {
  const container = new Container();
  createGrpcClient(container, LeafClient, { name: 'first', address });
  container.snapshot();
  createGrpcClient(container, LeafClient, { name: 'second', address });
  container.restore();
  container.snapshot();
  container.unbind(LeafClient);
  const factory = container.get(GrpcClientFactory);
  expect(() => factory.getChannel('first')).toThrow('there are none');

  container.restore();

  expect(() => factory.getChannel('second')).toThrow("there are 'first'");
  const other = classOf('test.v1.Other');
  createGrpcClient(container, other, { name: 'second', address });
  expect(() => createGrpcClient(container, other, { name: 'first', address })).toThrow(
    'with another class (LeafClient)',
  );
  await factory.close();
});
