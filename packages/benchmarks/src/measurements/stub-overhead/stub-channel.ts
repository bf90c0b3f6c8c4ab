import { Channel, type ChannelInterface, type experimental, type InterceptingListener, Metadata } from '@grpc/grpc-js';

type CallStream = experimental.CallStream;

/** Calls that are waiting for {@link answerAll}. */
let waiting: StubCall[] = [];

/** From now on no channel of this process has a network below it: each call is answered with `message`, and OK. */
export function stubChannels(message: Buffer): void {
  Channel.prototype.createCall = function createStubCall(
    ...[path, deadline]: Parameters<ChannelInterface['createCall']>
  ) {
    return new StubCall(path, Number(deadline), message);
  };
}

/** Answers the calls that have been made since the last time. */
export function answerAll(): void {
  const calls = waiting;
  waiting = [];
  for (const call of calls) {
    call.answer();
  }
}

class StubCall implements Partial<CallStream> {
  private listener: InterceptingListener | undefined;

  constructor(
    readonly path: string,
    readonly deadline: number,
    private readonly message: Buffer,
  ) {}

  start(_metadata: Metadata, listener: InterceptingListener): void {
    this.listener = listener;
    waiting.push(this);
  }

  answer(): void {
    this.listener!.onReceiveMetadata(new Metadata());
    this.listener!.onReceiveMessage(this.message);
    this.listener!.onReceiveStatus({ code: 0, details: 'OK', metadata: new Metadata() });
  }

  sendMessageWithContext({ callback }: Parameters<CallStream['sendMessageWithContext']>[0]): void {
    if (callback !== undefined) {
      process.nextTick(callback);
    }
  }

  startRead(): void {}

  halfClose(): void {}

  cancelWithStatus(): void {}

  getPeer(): string {
    return 'stub';
  }

  getCallNumber(): number {
    return 0;
  }

  setCredentials(): void {}

  getAuthContext(): null {
    return null;
  }
}
