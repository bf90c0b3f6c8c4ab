import type { ClientStreamingCall } from './calls.js';
import { RequestWriter } from './request-writing.js';
import { derivesPlainPromises, ResponsePromise } from './response-promise.js';

/** A client streaming call, as a promise of its response and a writer for its requests. */
export class ClientStreamingPromise<Request, Response>
  extends ResponsePromise<Response>
  implements ClientStreamingCall<Request, Response>
{
  /** @internal */
  readonly writer = new RequestWriter(this);

  readonly requests = {
    send: (message: Request): Promise<void> => this.send(message),
    end: (): void => {
      this.writer.end();
    },
  };

  override emit(event: string, value: unknown): boolean {
    super.emit(event, value);
    if (event === 'status') {
      this.writer.destroy();
    }
    return true;
  }

  private send(message: Request): Promise<void> {
    const sent = new Promise<void>((resolve, reject) => {
      this.writer.write(message, (error) => {
        if (error === null || error === undefined) {
          resolve();
        } else {
          reject(this.outcome.error ?? (this.outcome.hasEnded ? callHasEnded() : error));
        }
      });
    });
    // Who sends without waiting learns of the failure from the call itself.
    sent.catch(ignore);
    return sent;
  }
}

derivesPlainPromises(ClientStreamingPromise);

function callHasEnded(): Error {
  return new Error('The call has ended: the server answered before this request was sent');
}

function ignore(): void {}
