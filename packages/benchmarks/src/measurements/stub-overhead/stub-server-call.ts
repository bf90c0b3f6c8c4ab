import type {
  Metadata,
  ServerInterceptingCallInterface,
  ServerInterceptor,
  ServerMethodDefinition,
} from '@grpc/grpc-js';
import type { Handle } from './handlers.js';

type InterceptingServerListener = Parameters<ServerInterceptingCallInterface['start']>[0];
type Forwarded = Pick<ServerInterceptingCallInterface, 'start' | 'sendMetadata' | 'sendMessage' | 'sendStatus'>;

const connection = { localAddress: '127.0.0.1', localPort: 1, remoteAddress: '127.0.0.1', remotePort: 2 };
const recorder = {} as ReturnType<ServerInterceptingCallInterface['getMetricsRecorder']>;
const OK = { code: 0, details: 'OK', metadata: null };

/**
 * Serves one unary call as grpc-js's server does it: the events of a request, through the interceptor where there is
 * one, then `handle`, then its answer, and the 'cancelled' that comes once for every call.
 */
export function serve(
  interceptor: ServerInterceptor | undefined,
  method: ServerMethodDefinition<unknown, unknown>,
  deadline: number,
  requestMetadata: Metadata,
  handle: Handle,
): void {
  const wire = new StubServerCall(deadline);
  const call: Forwarded = interceptor === undefined ? wire : interceptor(method, wire);
  const handler = new Handler(call, handle, wire);
  call.start(handler);
  const { listener } = wire;
  listener.onReceiveMetadata(requestMetadata);
  listener.onReceiveMessage({ id: 'ada' });
  listener.onReceiveHalfClose();
}

class Handler implements InterceptingServerListener {
  constructor(
    private readonly call: Forwarded,
    private readonly handle: Handle,
    private readonly wire: StubServerCall,
  ) {}

  onReceiveMetadata(): void {}

  onReceiveMessage(): void {}

  onReceiveHalfClose(): void {
    void this.handle(this.wire.getDeadline(), (response: unknown) => {
      if (response === undefined || response instanceof Error) {
        throw response ?? new Error('the child call had no response');
      }
      this.call.sendMessage(response, () => this.call.sendStatus(OK));
      this.wire.listener.onCancel();
    });
  }

  onCancel(): void {}
}

class StubServerCall implements ServerInterceptingCallInterface {
  listener!: InterceptingServerListener;

  constructor(private readonly deadline: number) {}

  start(listener: InterceptingServerListener): void {
    this.listener = listener;
  }

  sendMetadata(): void {}

  sendMessage(_message: unknown, callback: () => void): void {
    callback();
  }

  sendStatus(): void {}

  startRead(): void {}

  getPeer(): string {
    return '127.0.0.1:2';
  }

  getDeadline(): number {
    return this.deadline;
  }

  getHost(): string {
    return 'localhost';
  }

  getAuthContext(): ReturnType<ServerInterceptingCallInterface['getAuthContext']> {
    return {};
  }

  getConnectionInfo(): typeof connection {
    return connection;
  }

  getMetricsRecorder(): typeof recorder {
    return recorder;
  }
}
