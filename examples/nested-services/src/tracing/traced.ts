import { randomUUID } from 'node:crypto';
import { type ServiceError, status } from '@grpc/grpc-js';
import type { CallCancelledError } from '@grpc-di/client-factory';
import type { ServerCallContext } from '@grpc-di/server';
import type { CallEvent } from './call-event.js';

type Method = (request: never, context: ServerCallContext) => Promise<unknown> | AsyncIterable<unknown>;

/** Tells the runner when a method really started and ended: a cancelled call is over before its handler is. */
export function traced<M extends Method>(
  _service: object,
  _name: string,
  descriptor: TypedPropertyDescriptor<M>,
): void {
  const method: Method = descriptor.value!;
  const tracedMethod: Method = function (this: unknown, request, context) {
    const end = reportStart(context);
    const result = method.call(this, request, context);
    return Symbol.asyncIterator in result ? tracedStream(result, end) : tracedPromise(result, end);
  };
  descriptor.value = tracedMethod as M;
}

type End = (error?: unknown) => void;

async function tracedPromise(result: Promise<unknown>, end: End): Promise<unknown> {
  try {
    const response = await result;
    end();
    return response;
  } catch (error) {
    end(error);
    throw error;
  }
}

async function* tracedStream(result: AsyncIterable<unknown>, end: End): AsyncIterable<unknown> {
  let failure: unknown;
  try {
    yield* result;
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    end(failure);
  }
}

function reportStart(context: ServerCallContext): End {
  const { method: path, deadline, requestMetadata } = context;
  const [, service = '', method = ''] = /(\w+)\/(\w+)$/.exec(path) ?? [];
  const call = { id: randomUUID(), trace: String(requestMetadata.get('trace-id')[0]) };
  const caller = String(requestMetadata.get('caller')[0]);
  report({ ...call, kind: 'started', service: service.toLowerCase(), method, caller, at: Date.now(), deadline });
  return (error) => report({ ...call, kind: 'ended', at: Date.now(), outcome: outcome(context, error) });
}

/** A call that was cut short stays so, whatever its handler still returns. */
function outcome({ cancelled, signal }: ServerCallContext, error: unknown): string {
  const failure = cancelled ? (signal.reason as CallCancelledError) : (error as Partial<ServiceError> | undefined);
  return failure === undefined ? 'OK' : status[failure.code ?? status.UNKNOWN]!;
}

function report(event: CallEvent): void {
  process.send?.(event);
}
