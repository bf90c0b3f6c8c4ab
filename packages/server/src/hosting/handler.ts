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
import { currentScope } from '@grpc-di/call-context/opener';
import type { ServerCallContext } from '../context/server-call-context.js';
import { DEFAULT_DEADLINE_SLACK_MS, ServerCallScope, serverScopeAround } from '../context/server-call-scope.js';
import { statusOfError } from './error-status.js';
import { requestsOf } from './requests.js';
import { checkResponse, isIterable, type Responses, sendResponses } from './responses.js';

/** One rpc of a hosted service. */
export interface HostedMethod {
  readonly definition: MethodDefinition<unknown, unknown>;
  /** What the rpc's method may be called in the class. */
  readonly names: readonly string[];
  readonly resolve: () => object;
  readonly onError: (error: unknown, context: ServerCallContext) => unknown;
}

type ServerCall = Pick<
  ServerUnaryCall<unknown, unknown>,
  'getPath' | 'getDeadline' | 'getPeer' | 'getHost' | 'getMetricsRecorder' | 'sendMetadata' | 'metadata'
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
    void scope.run(answerOnce, method, call, scope, respond);
  };
}

async function answerOnce(
  method: HostedMethod,
  call: ServerCall,
  scope: ServerCallScope,
  respond: Respond,
): Promise<void> {
  try {
    const response = await invoke(method, call, scope);
    checkResponse(response, scope.method);
    scope.complete();
    respond(null, response, scope.withTrailers());
  } catch (error) {
    respond(failure(error, method, scope));
  }
}

/** Server and bidirectional streaming: responses until the iterable ends. */
function streamingHandler(method: HostedMethod) {
  return (call: ServerWritableStream<unknown, unknown> | ServerDuplexStream<unknown, unknown>): void => {
    const scope = scopeFor(call);
    void scope.run(async () => {
      try {
        await sendResponses(await responsesOf(invoke(method, call, scope), method), call, scope);
        scope.complete();
        call.end(scope.withTrailers());
      } catch (error) {
        // Not destroy(error): the client would wait for ever.
        call.emit('error', failure(error, method, scope));
      }
    });
  };
}

/** A plain async method may fail before it has anything to iterate over: nobody else listens to its promise. */
async function responsesOf(returned: unknown, method: HostedMethod): Promise<Responses> {
  const responses = isIterable(returned) ? returned : await returned;
  if (!isIterable(responses)) {
    throw new TypeError(`${method.definition.path} returned no async iterable: write it as async *method() { ... }`);
  }
  return responses;
}

function invoke(method: HostedMethod, call: ServerCall, scope: ServerCallScope): unknown {
  const instance = method.resolve() as Record<string, unknown>;
  let name: string | undefined;
  for (const candidate of method.names) {
    if (typeof instance[candidate] === 'function') {
      name = candidate;
      break;
    }
  }
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
    void report(error, method, scope.serverContext);
  }
  const { code, details, metadata } = known ?? { code: status.UNKNOWN, details: 'Unknown error' };
  scope.complete();
  // grpc-js percent-encodes the details, and half a surrogate pair (a text cut off by length) takes the process down.
  const sendable = details.replace(/\p{Surrogate}/gu, '\ufffd');
  return { code, details: sendable, metadata: scope.withTrailers(metadata) };
}

/** An error handler that fails, an async one too, must leave the client its answer, and the process alive. */
async function report(error: unknown, method: HostedMethod, context: ServerCallContext): Promise<void> {
  try {
    await method.onError(error, context);
  } catch (thrown) {
    console.error(`onError of ${method.definition.path} failed:`, thrown);
  }
}

/**
 * The scope that `callContextInterceptor()` opened for this call, or else a new one. The scope around may be another
 * call's: a server that was bound inside a handler runs its own handlers in there.
 */
function scopeFor(call: ServerCall): ServerCallScope {
  const opened = serverScopeAround(currentScope());
  if (opened?.serves(call)) {
    opened.servedThrough(call);
    return opened;
  }
  const scope = new ServerCallScope(
    call.getPath(),
    Number(call.getDeadline()),
    call,
    { remoteAddress: call.getPeer() },
    {
      cancelOnCompletion: false,
      deadlineSlackMs: DEFAULT_DEADLINE_SLACK_MS,
    },
  );
  scope.requestMetadata = call.metadata;
  call.on('cancelled', () => scope.abandon());
  return scope;
}
