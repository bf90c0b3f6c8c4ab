import type { ClientStreamingCall } from './calls.js';
import { RequestSender } from './request-sender.js';
import { derivesPlainPromises, ResponsePromise } from './response-promise.js';

/** A client streaming call, as a promise of its response and a sender of its requests. */
export class ClientStreamingPromise<Request, Response>
  extends ResponsePromise<Response>
  implements ClientStreamingCall<Request, Response>
{
  readonly requests = new RequestSender<Request>(this);

  override emit(event: string, value: unknown): boolean {
    super.emit(event, value);
    if (event === 'status') {
      this.requests.callEnded();
    }
    return true;
  }
}

derivesPlainPromises(ClientStreamingPromise);
