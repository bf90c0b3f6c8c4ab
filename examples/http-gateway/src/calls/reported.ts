import { randomUUID } from 'node:crypto';
import { type ServiceError, status } from '@grpc/grpc-js';
import type { CallCancelledError, CallContext } from '@grpc-di/client-factory';
import type { ServerCallContext } from '@grpc-di/server';
import type { CallEvent } from './call-event.js';
import { callerOf, runAsCaller } from './caller.js';

type UnaryMethod = (request: never, context: ServerCallContext) => Promise<unknown>;

/** Tells the gateway when a method really started and ended. */
export function reported<M extends UnaryMethod>(
  _service: object,
  _name: string,
  descriptor: TypedPropertyDescriptor<M>,
): void {
  const method: UnaryMethod = descriptor.value!;
  const reportedMethod: UnaryMethod = async function (this: unknown, request, context) {
    const id = randomUUID();
    report({ kind: 'started', id, caller: callerOf(context.requestMetadata), ...descriptionOf(request, context) });
    let failure: unknown;
    try {
      return await runAsCaller(id, () => method.call(this, request, context));
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      report({ kind: 'ended', id, at: Date.now(), ...endOf(context, failure) });
    }
  };
  descriptor.value = reportedMethod as M;
}

/** A call that was cut short stays so, whatever its handler still returns. */
export function endOf({ cancelled, signal }: CallContext, failure?: unknown): { outcome: string; reason?: string } {
  if (cancelled) {
    const { code, message } = signal.reason as CallCancelledError;
    return { outcome: status[code]!, reason: message };
  }
  if (failure === undefined) {
    return { outcome: 'OK' };
  }
  const { code = status.UNKNOWN, message } = failure as Partial<ServiceError>;
  return { outcome: status[code], reason: message };
}

/** JSON knows no `Infinity`, which is what a context has when there is no deadline. */
export function deadlineOf({ deadline }: CallContext): number | undefined {
  return Number.isFinite(deadline) ? deadline : undefined;
}

function descriptionOf(request: object, context: ServerCallContext) {
  const [, service = '', method = ''] = /(\w+)\/(\w+)$/.exec(context.method) ?? [];
  const subject = Object.values(request).join(', ');
  return { service: service.toLowerCase(), method, subject, at: Date.now(), deadline: deadlineOf(context) };
}

function report(event: CallEvent): void {
  process.send?.(event);
}
