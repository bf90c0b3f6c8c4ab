import { type experimental, type InterceptingListener, Metadata, type StatusObject, status } from '@grpc/grpc-js';
import { describeValue } from '@grpc-di/call-context/opener';

type CallStream = experimental.CallStream;
type Responses = Iterable<unknown> | AsyncIterable<unknown>;
type Ending = StatusObject & { cause?: unknown };

/**
 * What grpc-js takes for the transport of a mocked call: network and server in one, which answers with what an iterable
 * yields. As a server does, it asks for the first response at once, so that headers come before anybody reads; all else
 * waits for its reader.
 *
 * It waits for promises only: fake timers do not stop it.
 */
export class FarEnd implements CallStream {
  private listener: InterceptingListener | undefined;
  private iterator: Iterator<unknown> | AsyncIterator<unknown> | undefined;
  private isOver = false;
  private isWanted = false;
  private onWanted: (() => void) | undefined;

  constructor(private readonly responses: Responses) {}

  start(_metadata: Metadata, listener: InterceptingListener): void {
    this.listener = listener;
    void this.respond();
  }

  startRead(): void {
    this.isWanted = true;
    this.onWanted?.();
  }

  cancelWithStatus(code: status, details: string): void {
    if (!this.isOver) {
      this.isOver = true;
      void returnQuietly(this.iterator);
      // Not within the caller's own turn: from a network no status comes that fast.
      void Promise.resolve().then(() => this.listener!.onReceiveStatus({ code, details, metadata: new Metadata() }));
    }
  }

  private async respond(): Promise<void> {
    for (let hasHeaders = false; ; hasHeaders = true) {
      const next = await this.next();
      if (this.isOver) {
        return;
      }
      if ('status' in next) {
        this.listener!.onReceiveStatus(next.status);
        return;
      }
      if (!hasHeaders) {
        this.listener!.onReceiveMetadata(new Metadata());
      }
      await this.wanted();
      if (this.isOver) {
        return;
      }
      this.isWanted = false;
      this.listener!.onReceiveMessage(next.message);
    }
  }

  /** The next message, or else how the call ends. */
  private async next(): Promise<{ message: unknown } | { status: Ending }> {
    try {
      this.iterator ??= iteratorOf(this.responses);
      const { done, value } = await this.iterator.next();
      if (done) {
        return { status: { code: status.OK, details: 'OK', metadata: new Metadata() } };
      }
      if (value === undefined || value === null) {
        void returnQuietly(this.iterator);
        throw new TypeError(`The mocked call was to respond with ${describeValue(value)}, which is no message`);
      }
      return { message: value };
    } catch (error) {
      return { status: statusOf(error) };
    }
  }

  private async wanted(): Promise<void> {
    if (!this.isWanted) {
      await new Promise<void>((resolve) => {
        this.onWanted = resolve;
      });
    }
  }

  sendMessageWithContext(): void {}
  halfClose(): void {}
  setCredentials(): void {}

  getPeer(): string {
    return 'unknown';
  }

  getCallNumber(): number {
    return 0;
  }

  getAuthContext(): null {
    return null;
  }
}

function iteratorOf(responses: Responses): Iterator<unknown> | AsyncIterator<unknown> {
  return Symbol.asyncIterator in responses ? responses[Symbol.asyncIterator]() : responses[Symbol.iterator]();
}

/** The status that a hosted service would answer with; what is no status is UNKNOWN, here with all that a test wants to know. */
function statusOf(error: unknown): Ending {
  const { code, details, message, metadata, cause } = (error ?? {}) as {
    [Property in 'code' | 'details' | 'message' | 'metadata' | 'cause']?: unknown;
  };
  const text = typeof details === 'string' ? details : typeof message === 'string' ? message : describeValue(error);
  const trailers = metadata instanceof Metadata ? metadata : new Metadata();
  return typeof code === 'number' && code !== status.OK && status[code] !== undefined
    ? withCause({ code, details: text, metadata: trailers }, cause)
    : withCause({ code: status.UNKNOWN, details: text, metadata: new Metadata() }, error);
}

function withCause(ending: StatusObject, cause: unknown): Ending {
  return cause === undefined ? ending : { ...ending, cause };
}

/** What an iterator throws on being returned concerns nobody: its call is over. */
async function returnQuietly(iterator: Iterator<unknown> | AsyncIterator<unknown> | undefined): Promise<void> {
  try {
    await iterator?.return?.();
  } catch {}
}
