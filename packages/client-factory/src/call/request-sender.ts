import { describeValue } from '@grpc-di/call-context/opener';
import type { ClientStreamingCall } from './calls.js';
import type { SurfaceCall } from './cancelling.js';

interface Sending<Request> {
  readonly message: Request;
  resolve(): void;
  reject(error: Error): void;
}

/**
 * Sends the requests of a client streaming call one after another: grpc-js's interceptors can hold no more than one
 * message, and drop the one before it.
 */
export class RequestSender<Request> implements RequestsOf<Request> {
  private readonly waiting: Array<Sending<Request>> = [];
  private onItsWay: Sending<Request> | undefined;
  private isEnded = false;

  constructor(private readonly surface: SurfaceCall) {}

  // Properties, so that they can be taken off the call.

  readonly send = (message: Request): Promise<void> => {
    const sent = new Promise<void>((resolve, reject) => {
      const obstacle = this.obstacleTo(message);
      if (obstacle === undefined) {
        this.waiting.push({ message, resolve, reject });
        this.sendNext();
      } else {
        reject(obstacle);
      }
    });
    // Who sends without waiting learns of the failure from the call itself.
    sent.catch(ignore);
    return sent;
  };

  readonly end = (): void => {
    if (!this.isEnded) {
      this.isEnded = true;
      this.sendNext();
    }
  };

  /** @internal the call is over: whatever was not sent will not be. */
  callEnded(): void {
    const unsent = this.onItsWay === undefined ? this.waiting : [this.onItsWay, ...this.waiting];
    for (const sending of unsent.splice(0)) {
      sending.reject(this.endOfCall());
    }
  }

  private sendNext(): void {
    if (this.onItsWay !== undefined || this.surface.outcome.hasEnded) {
      return;
    }
    this.onItsWay = this.waiting.shift();
    if (this.onItsWay !== undefined) {
      this.hand(this.onItsWay.message);
    } else if (this.isEnded) {
      this.surface.call?.halfClose();
    }
  }

  /** An interceptor that throws concerns whoever sent the message, and not the transport whose callback this may be. */
  private hand(message: Request): void {
    try {
      this.surface.call?.sendMessageWithContext({ callback: (error) => this.wasSent(error) }, message);
    } catch (error) {
      this.wasSent(error as Error);
    }
  }

  private wasSent(error: Error | null | undefined): void {
    const sending = this.onItsWay;
    this.onItsWay = undefined;
    if (error === null || error === undefined) {
      sending?.resolve();
    } else {
      sending?.reject(error);
    }
    this.sendNext();
  }

  private obstacleTo(message: Request): Error | undefined {
    if (message === null || message === undefined) {
      return new TypeError(`send(message): ${describeValue(message)} is no message`);
    }
    if (this.surface.outcome.hasEnded) {
      return this.endOfCall();
    }
    return this.isEnded ? new Error('send(message): end() was called before') : undefined;
  }

  private endOfCall(): Error {
    const { error } = this.surface.outcome;
    return error ?? new Error('The call has ended: the server answered before this request was sent');
  }
}

type RequestsOf<Request> = ClientStreamingCall<Request, unknown>['requests'];

function ignore(): void {}
