import type { EventEmitter } from 'node:events';
import {
  type MethodDefinition,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type StatusObject,
  type sendUnaryData,
  status,
  type UntypedHandleCall,
} from '@grpc/grpc-js';
import { currentScope, describeValue } from '@grpc-di/call-context/opener';
import type { ServerCallContext } from '../context/server-call-context.js';
import { DEFAULT_DEADLINE_SLACK_MS, ServerCallScope, serverScopeAround } from '../context/server-call-scope.js';
import { statusOfError } from './error-status.js';
import { requestsOf } from './requests.js';
import { isIterable, sendResponses } from './responses.js';

/** One rpc of a hosted service. */
export interface HostedMethod {
  readonly definition: MethodDefinition<unknown, unknown>;
  /** What the rpc's method may be called in the class. */
  readonly names: readonly string[];
  readonly resolve: () => object;
  readonly onError: (error: unknown, context: ServerCallContext) => void;
}

type ServerCall = Pick<
  ServerUnaryCall<unknown, unknown>,
  'getPath' | 'getDeadline' | 'getPeer' | 'getHost' | 'sendMetadata' | 'metadata'
> &
  EventEmitter;
type Respond = sendUnaryData<unknown>;

/** The grpc-js handler for a method of an injectable class. */
export function handlerOf(method: HostedMethod): UntypedHandleCall {
  return (method.definition.responseStream ? streamingHandler(method) : unaryHandler(method)) as UntypedHandleCall;
}

/** Unary and client streaming: one response. */
function unaryHandler(method: HostedMethod) {
  return (call: ServerUnaryCall<unknown, unknown> | ServerReadableStream<unknown, unknown>, respond: Respond): void => {
    const scope = scopeFor(call);
    void scope.run(async () => {
      try {
        const response = await invoke(method, call, scope);
        if (response === undefined || response === null) {
          throw new TypeError(
            `${method.definition.path} returned ${describeValue(response)} instead of a response message`,
          );
        }
        scope.complete();
        respond(null, response, scope.withTrailers());
      } catch (error) {
        respond(failure(error, method, scope));
      }
    });
  };
}

/** Server and bidirectional streaming: responses until the iterable ends. */
function streamingHandler(method: HostedMethod) {
  return (call: ServerWritableStream<unknown, unknown> | ServerDuplexStream<unknown, unknown>): void => {
    const scope = scopeFor(call);
    void scope.run(async () => {
      try {
        const responses = invoke(method, call, scope);
        if (!isIterable(responses)) {
          throw new TypeError(
            `${method.definition.path} returned no async iterable: write it as async *method() { ... }`,
          );
        }
        await sendResponses(responses, call, scope);
        scope.complete();
        call.end(scope.withTrailers());
      } catch (error) {
        // Not destroy(error): the client would wait for ever.
        call.emit('error', failure(error, method, scope));
      }
    });
  };
}

function invoke(method: HostedMethod, call: ServerCall, scope: ServerCallScope): unknown {
  const instance = method.resolve() as Record<string, unknown>;
  const name = method.names.find((candidate) => typeof instance[candidate] === 'function');
  if (name === undefined) {
    const details = `The server does not implement the method ${method.definition.path}`;
    throw Object.assign(new Error(details), { code: status.UNIMPLEMENTED, details });
  }
  const request = method.definition.requestStream
    ? requestsOf(call as ServerReadableStream<unknown, unknown>, scope)
    : (call as ServerUnaryCall<unknown, unknown>).request;
  return (instance[name] as (request: unknown, context: ServerCallContext) => unknown)(request, scope.serverContext);
}

function failure(error: unknown, method: HostedMethod, scope: ServerCallScope): Partial<StatusObject> {
  const known = statusOfError(error);
  if (known === undefined) {
    report(error, method, scope.serverContext);
  }
  const { code, details, metadata } = known ?? { code: status.UNKNOWN, details: 'Unknown error' };
  scope.complete();
  return { code, details, metadata: scope.withTrailers(metadata) };
}

/** An error handler that fails must leave the client its answer, and the process alive. */
function report(error: unknown, method: HostedMethod, context: ServerCallContext): void {
  try {
    method.onError(error, context);
  } catch (thrown) {
    console.error(`onError of ${method.definition.path} failed:`, thrown);
  }
}

/**
 * The scope that `callContextInterceptor()` opened for this call, or else a new one. An interceptor's scope serves the
 * first handler that runs in it: whatever else finds it around (a server that was bound inside a handler) has no claim.
 */
function scopeFor(call: ServerCall): ServerCallScope {
  const opened = serverScopeAround(currentScope());
  if (opened !== undefined && opened.method === call.getPath() && !opened.claimed) {
    opened.claimed = true;
    opened.servedThrough(call);
    return opened;
  }
  const scope = new ServerCallScope(call.getPath(), Number(call.getDeadline()), call, {
    cancelOnCompletion: false,
    deadlineSlackMs: DEFAULT_DEADLINE_SLACK_MS,
  });
  scope.requestMetadata = call.metadata;
  scope.claimed = true;
  call.on('cancelled', () => scope.abandon());
  return scope;
}
