import { EventEmitter, once } from 'node:events';
import {
  type Metadata,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { type LeafServer as LeafHandlers, LeafService } from './generated/grpc_di/test/v1/leaf.js';
import type { RelayReply, RelayRequest } from './generated/grpc_di/test/v1/relay.js';
import { type RunningServer, startServer } from './grpc-server.js';

export const CALL_KINDS = ['unary', 'serverStream', 'clientStream', 'bidi'] as const;
export type CallKind = (typeof CALL_KINDS)[number];

/** The request metadata that tells a test's calls from another's. */
export const CASE_KEY = 'x-case';

/** One call that reached the leaf server, which answers when it is told to. */
export interface Arrival {
  readonly kind: CallKind;
  /** Epoch milliseconds, as the server understood `grpc-timeout`; `Infinity` without one. */
  readonly deadline: number;
  readonly metadata: Metadata;
  readonly peer: string;
  readonly isOver: boolean;
  /** Resolves when the call was cut short from outside. */
  readonly cancelled: Promise<void>;
  /** Ends the call with success and one reply. */
  answer(): void;
  /** Ends the call with an error. */
  fail(code: status, details: string, metadata?: Metadata): void;
  /** Sends a reply and leaves the call open; for streaming responses. */
  send(reply: RelayReply): void;
}

export interface RunningLeaf extends RunningServer {
  /** How many calls of this case have arrived. */
  arrivals(caseId: string): number;
  /** The first call of this case, as soon as it is there. */
  arrived(caseId: string): Promise<Arrival>;
}

/**
 * The far end of every chain: a bare grpc-js server, that knows nothing of call contexts and counts what reaches it.
 */
export async function startLeaf(): Promise<RunningLeaf> {
  const byCase = new Map<string, Arrival[]>();
  const events = new EventEmitter().setMaxListeners(0);

  function arrive(kind: CallKind, call: AnyCall, answer: Answer): void {
    const caseId = String(call.metadata.get(CASE_KEY)[0]);
    const arrival = arrivalOf(kind, call, answer);
    byCase.set(caseId, [...(byCase.get(caseId) ?? []), arrival]);
    events.emit(caseId, arrival);
  }

  const handlers: LeafHandlers = {
    unary: (call, respond) => arrive('unary', call, singleAnswer(respond)),
    serverStream: (call) => arrive('serverStream', call, streamedAnswer(call)),
    clientStream: (call, respond) => {
      call.resume();
      arrive('clientStream', call, singleAnswer(respond));
    },
    bidi: (call) => {
      call.resume();
      arrive('bidi', call, streamedAnswer(call));
    },
  };
  const running = await startServer((server) => server.addService(LeafService, handlers));
  return {
    ...running,
    arrivals: (caseId) => byCase.get(caseId)?.length ?? 0,
    async arrived(caseId) {
      const first = byCase.get(caseId)?.[0];
      return first ?? ((await once(events, caseId)) as [Arrival])[0];
    },
  };
}

type AnyCall =
  | ServerUnaryCall<RelayRequest, RelayReply>
  | ServerReadableStream<RelayRequest, RelayReply>
  | ServerWritableStream<RelayRequest, RelayReply>
  | ServerDuplexStream<RelayRequest, RelayReply>;

type Answer = Pick<Arrival, 'answer' | 'fail' | 'send'>;

const REPLY: RelayReply = { id: 'leaf', text: 'done', deadline: 0 };

function arrivalOf(kind: CallKind, call: AnyCall, answer: Answer): Arrival {
  let isOver = false;
  let isAnswered = false;
  const cancelled = new Promise<void>((resolve) => {
    (call as EventEmitter).on('cancelled', () => {
      isOver = true;
      if (!isAnswered) {
        resolve();
      }
    });
  });
  return {
    kind,
    deadline: Number(call.getDeadline()),
    metadata: call.metadata,
    peer: call.getPeer(),
    get isOver() {
      return isOver;
    },
    cancelled,
    answer() {
      isAnswered = true;
      answer.answer();
    },
    fail(code, details, metadata) {
      isAnswered = true;
      answer.fail(code, details, metadata);
    },
    send: answer.send,
  };
}

function singleAnswer(respond: sendUnaryData<RelayReply>): Answer {
  return {
    answer: () => respond(null, REPLY),
    fail: (code, details, metadata) => respond({ code, details, metadata }),
    send: () => {
      throw new Error('this call has a single response: answer()');
    },
  };
}

function streamedAnswer(
  call: ServerWritableStream<RelayRequest, RelayReply> | ServerDuplexStream<RelayRequest, RelayReply>,
): Answer {
  return {
    answer: () => {
      call.write(REPLY);
      call.end();
    },
    fail: (code, details, metadata) => {
      call.emit('error', { code, details, metadata });
    },
    send: (reply) => {
      call.write(reply);
    },
  };
}
