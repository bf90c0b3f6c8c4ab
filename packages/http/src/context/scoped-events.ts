import type { EventEmitter } from 'node:events';
import type { HttpCallScope } from './http-call-scope.js';

const scopeKey = Symbol('grpc-di scope');
const emitKey = Symbol('grpc-di emit');

/**
 * Has every event of `emitter` heard in `scope`.
 *
 * Node emits the events of a request in the async context of its connection: a body's 'data' and 'end' in none, and
 * those of a pipelined response in the context of the response before it. Frameworks and body parsers go on
 * from such listeners, so that the handler itself would run there.
 */
export function hearInScope(emitter: EventEmitter, scope: HttpCallScope): void {
  const scoped = emitter as unknown as ScopedEmitter;
  if (scoped[scopeKey] === undefined) {
    scoped[emitKey] = scoped.emit;
    scoped.emit = emitInScope;
  }
  scoped[scopeKey] = scope;
}

/** The innermost scope that was opened for a request or its response. */
export function scopeOn(emitter: EventEmitter): HttpCallScope | undefined {
  return (emitter as unknown as Partial<ScopedEmitter>)[scopeKey];
}

interface ScopedEmitter {
  emit: Emit;
  [emitKey]: Emit;
  [scopeKey]: HttpCallScope;
}

type Emit = (this: ScopedEmitter, ...args: unknown[]) => boolean;

function emitInScope(this: ScopedEmitter, ...args: unknown[]): boolean {
  return this[scopeKey].run(emit, this, args);
}

function emit(emitter: ScopedEmitter, args: unknown[]): boolean {
  return emitter[emitKey](...args);
}
