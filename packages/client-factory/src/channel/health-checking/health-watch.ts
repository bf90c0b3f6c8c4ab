import { setImmediate } from 'node:timers';
import { experimental, status } from '@grpc/grpc-js';
import { runInScope } from '@grpc-di/call-context/opener';

type Subchannel = ReturnType<experimental.SubchannelInterface['getRealSubchannel']>;
type SubchannelCall = ReturnType<Subchannel['createCall']>;

const WATCH = '/grpc.health.v1.Health/Watch';

/** `ServingStatus.SERVING` of grpc.health.v1. */
const SERVING = 1;

/** How a stream of health that broke is opened again, in ms (gRFC A17: as connections are). */
const BACKOFF = { initialDelay: 1_000, multiplier: 1.6, jitter: 0.2, maxDelay: 120_000 };

/**
 * Follows what one server's health service says, over its connection, until it is stopped. A server without a health
 * service counts as serving (gRFC A17), one whose stream breaks does not until it says so again.
 */
export class HealthWatch {
  private readonly backoff = new experimental.BackoffTimeout(() => this.open(), BACKOFF);
  private call: SubchannelCall | undefined;
  private isStopped = false;

  constructor(
    private readonly subchannel: experimental.SubchannelInterface,
    private readonly serviceName: string,
    private readonly onAnswer: (isServing: boolean) => void,
  ) {
    this.backoff.unref();
    this.open();
  }

  stop(): void {
    this.isStopped = true;
    this.backoff.stop();
    this.call?.cancelWithStatus(status.CANCELLED, 'The health is not watched any more');
  }

  private open(): void {
    runInScope(undefined, openOf, this);
  }

  /** @internal outside any call context. */
  async openNow(): Promise<void> {
    const real = this.subchannel.getRealSubchannel();
    try {
      const authority = authorityOf(real.getChannel().getTarget());
      const metadata = await this.subchannel
        .getCallCredentials()
        .generateMetadata({ method_name: WATCH, service_url: `https://${authority}/grpc.health.v1.Health` });
      if (this.isStopped) {
        return;
      }
      const call = real.createCall(metadata, authority, WATCH, {
        onReceiveMetadata: () => call.startRead(),
        onReceiveMessage: (message: Buffer) => {
          this.received(message);
          call.startRead();
        },
        onReceiveStatus: ({ code }) => this.ended(code),
      });
      this.call = call;
      call.sendMessageWithContext({}, requestFor(this.serviceName));
      call.halfClose();
    } catch {
      // Its credentials failed, or the connection is gone again.
      setImmediate(() => this.ended(status.UNAVAILABLE));
    }
  }

  private received(message: Buffer): void {
    if (!this.isStopped) {
      this.backoff.reset();
      this.onAnswer(servingStatusOf(message) === SERVING);
    }
  }

  private ended(code: status): void {
    this.call = undefined;
    if (this.isStopped) {
      return;
    }
    this.onAnswer(code === status.UNIMPLEMENTED);
    if (code !== status.UNIMPLEMENTED) {
      this.backoff.runOnce();
    }
  }
}

function openOf(watch: HealthWatch): void {
  void watch.openNow();
}

/** The part of a target that is no scheme: grpc-js's own function for it is not exported. */
function authorityOf(target: string): string {
  return /^(?:dns|ipv4|ipv6):(?:\/\/[^/]*\/)?([^,]+)/.exec(target)?.[1] ?? 'localhost';
}

/** What precedes a message on the wire: whether it is compressed, and its length (gRPC over HTTP/2). */
const PREFIX_BYTES = 5;

/** `HealthCheckRequest { string service = 1; }`: too little for a generator. */
function requestFor(serviceName: string): Buffer {
  const name = Buffer.from(serviceName);
  const length: number[] = [];
  let rest = name.length;
  for (; rest > 0x7f; rest >>>= 7) {
    length.push((rest & 0x7f) | 0x80);
  }
  length.push(rest);
  const message = name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a, ...length]), name]);
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** `HealthCheckResponse { ServingStatus status = 1; }`; 0 is UNKNOWN, and not on the wire. */
function servingStatusOf(framed: Buffer): number {
  return framed[PREFIX_BYTES] === 0x08 ? framed[PREFIX_BYTES + 1]! : 0;
}
