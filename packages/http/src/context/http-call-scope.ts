import { CallContextScope } from '@grpc-di/call-context/opener';

/**
 * In ms. A client that says how long it will wait hangs up by its own clock: shortly before our deadline that is the
 * deadline, as in `callContextInterceptor()` of @grpc-di/server.
 */
const DEADLINE_SLACK_MS = 250;

/** The scope of one HTTP request. It holds neither request nor response: contexts outlive them in timers and pools. */
export class HttpCallScope extends CallContextScope {
  /** Whether the deadline is the one that the client named. */
  deadlineIsClients = false;

  /** The response is over: all of it was sent, or the client will not get it. */
  settle(isFinished: boolean): void {
    if (isFinished) {
      this.end();
    } else if (this.deadlineIsClients && this.deadline - Date.now() <= DEADLINE_SLACK_MS) {
      this.cancel(4, `${this.label} was cut short: its deadline passed`);
    } else {
      this.cancel(
        1,
        `${this.label} was cancelled: the client left, or the connection dropped, before its response was finished`,
      );
    }
  }
}
