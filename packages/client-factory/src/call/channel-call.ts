import {
  type CallCredentials,
  type ChannelInterface,
  type experimental,
  type InterceptingListener,
  type Interceptor,
  type InterceptorOptions,
  type Metadata,
  type NextCall,
  type status,
} from '@grpc/grpc-js';
import { epochMs } from '@grpc-di/call-context/opener';
import type { BoundCall } from '../propagation/bound-call.js';
import type { Invocation } from '../propagation/invocation.js';
import type { CallDefaults } from './call-defaults.js';
import { fillIn } from './call-metadata.js';
import type { Rpc } from './rpcs.js';

type CallStream = experimental.CallStream;
type CallArguments = Parameters<ChannelInterface['createCall']>;
type InterceptingCallInterface = ReturnType<NextCall>;

/** What a channel is asked for besides the deadline. */
interface Asked {
  readonly method: string;
  readonly host: CallArguments[2];
  readonly parentCall: CallArguments[3];
  readonly flags: CallArguments[4];
}

/**
 * A call of a client that is none of ours, below its serialization: the options of the registration come to it here,
 * and its interceptors see messages as bytes.
 */
export class ChannelCall implements CallStream {
  /** The outermost interceptor's call, or where there is none, the call itself; from the start on. */
  private outermost: Outermost | undefined;
  private bound: BoundCall | undefined;
  private credentials: CallCredentials | undefined;
  /** Whether the client has asked for a message that it does not have yet. */
  private isReadWanted = false;

  constructor(
    private readonly invocation: Invocation,
    private readonly defaults: Pick<CallDefaults, 'metadata' | 'interceptors' | 'waitForReady'>,
    private readonly asked: Asked,
    /** The client's, as far as they are known. */
    private readonly rpcs: readonly Rpc[],
  ) {}

  start(metadata: Metadata, listener: InterceptingListener): void {
    const { interceptors = [] } = this.defaults;
    // The user's own, which may serve many calls.
    const filled = metadata.clone();
    const { metadata: defaults, waitForReady } = this.defaults;
    fillIn(filled, defaults, waitForReady, this.invocation.parent, this.invocation.policy);
    if (interceptors.length === 0) {
      this.outermost = this.bind(this.invocation.deadline);
      this.outermost.start(filled, listener);
    } else {
      this.outermost = this.intercepted(interceptors);
      this.outermost.start(filled, this.receiving(listener));
    }
    if (this.isReadWanted) {
      this.outermost.startRead();
    }
  }

  sendMessageWithContext(...args: Parameters<CallStream['sendMessageWithContext']>): void {
    this.outermost?.sendMessageWithContext(...args);
  }

  /** May come before the start, where an interceptor of the client goes on with it later. */
  startRead(): void {
    this.isReadWanted = true;
    this.outermost?.startRead();
  }

  halfClose(): void {
    this.outermost?.halfClose();
  }

  /** First through the interceptors, and then past those that cancel no more than their first attempt. */
  cancelWithStatus(code: status, details: string): void {
    this.outermost?.cancelWithStatus(code, details);
    this.invocation.cancel({ code, details, by: 'caller' });
  }

  setCredentials(credentials: CallCredentials): void {
    this.credentials = credentials;
  }

  getPeer(): string {
    return this.outermost?.getPeer() ?? this.invocation.getTarget();
  }

  getCallNumber(): number {
    return this.bound?.getCallNumber() ?? 0;
  }

  getAuthContext(): ReturnType<CallStream['getAuthContext']> {
    return this.outermost?.getAuthContext() ?? null;
  }

  /** As grpc-js does it: the first is the outermost. */
  private intercepted(interceptors: readonly Interceptor[]): Outermost {
    const innermost: NextCall = (options) => {
      const { deadline, host, credentials } = options;
      this.credentials = credentials;
      const bound = this.bind(deadline === undefined ? Infinity : epochMs(deadline, 'deadline'), host);
      return new Innermost(bound, () => this.isReadWanted);
    };
    const start = interceptors.reduceRight<NextCall>(
      (nextCall, interceptor) => (options) => interceptor(options, nextCall),
      innermost,
    );
    const { host, method: path } = this.asked;
    const options: InterceptorOptions = {
      deadline: this.invocation.deadline,
      ...(host ? { host } : undefined),
      ...(this.credentials === undefined ? undefined : { credentials: this.credentials }),
      method_definition: {
        path,
        ...streamsOf(this.rpcs.find((rpc) => rpc.path === path)),
        requestSerialize: asIs,
        responseDeserialize: asIs,
      },
    };
    return start(options);
  }

  /** An interceptor may well say that there is no message, which the client would try to read. */
  private receiving(listener: InterceptingListener): InterceptingListener {
    return {
      onReceiveMetadata: (metadata) => listener.onReceiveMetadata(metadata),
      onReceiveMessage: (message: unknown) => {
        if (message !== undefined && message !== null) {
          this.isReadWanted = false;
          listener.onReceiveMessage(message);
        }
      },
      onReceiveStatus: (received) => listener.onReceiveStatus(received),
    };
  }

  private bind(deadline: number, host?: string): BoundCall {
    const { asked, invocation, credentials } = this;
    const bound = invocation.createCall(asked.method, deadline, host ?? asked.host, asked.parentCall, asked.flags);
    if (credentials !== undefined) {
      bound.setCredentials(credentials);
    }
    this.bound = bound;
    return bound;
  }
}

type Outermost = Pick<
  InterceptingCallInterface,
  'sendMessageWithContext' | 'startRead' | 'halfClose' | 'cancelWithStatus' | 'getPeer' | 'getAuthContext'
> & { start(metadata: Metadata, listener: InterceptingListener): void };

/** What the innermost interceptor takes for the next call. */
class Innermost implements InterceptingCallInterface {
  constructor(
    private readonly call: BoundCall,
    private readonly isReadWanted: () => boolean,
  ) {}

  /** The client asks the first attempt alone for a message; grpc-js starts to read a unary response by itself. */
  start(metadata: Metadata, listener: Partial<InterceptingListener> = {}): void {
    this.call.start(metadata, {
      onReceiveMetadata: (received) => listener.onReceiveMetadata?.(received),
      onReceiveMessage: (message) => listener.onReceiveMessage?.(message),
      onReceiveStatus: (received) => listener.onReceiveStatus?.(received),
    });
    if (this.isReadWanted()) {
      this.call.startRead();
    }
  }

  sendMessageWithContext(...args: Parameters<CallStream['sendMessageWithContext']>): void {
    this.call.sendMessageWithContext(...args);
  }

  sendMessage(message: Buffer): void {
    this.call.sendMessageWithContext({}, message);
  }

  startRead(): void {
    this.call.startRead();
  }

  halfClose(): void {
    this.call.halfClose();
  }

  cancelWithStatus(code: status, details: string): void {
    this.call.cancelWithStatus(code, details);
  }

  getPeer(): string {
    return this.call.getPeer();
  }

  getAuthContext(): ReturnType<CallStream['getAuthContext']> {
    return this.call.getAuthContext();
  }
}

/** Whatever is not known may stream both ways. */
function streamsOf({ make }: Pick<Rpc, 'make'> = { make: 'makeBidiStreamRequest' }): {
  requestStream: boolean;
  responseStream: boolean;
} {
  const isBidi = make === 'makeBidiStreamRequest';
  return {
    requestStream: isBidi || make === 'makeClientStreamRequest',
    responseStream: isBidi || make === 'makeServerStreamRequest',
  };
}

function asIs(message: Buffer): Buffer {
  return message;
}
