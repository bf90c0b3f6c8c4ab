/** What a service tells the gateway of the calls that it serves. Times are epoch milliseconds. */
export type CallEvent = CallStarted | CallEnded;

export interface CallStarted {
  kind: 'started';
  id: string;
  /** The call that made this one; the HTTP request has none. */
  caller?: string;
  service: string;
  method: string;
  /** What is asked for. */
  subject: string;
  at: number;
  /** As the call's context has it; missing when there is none. */
  deadline?: number;
}

/** The handler has returned: a cancelled call is over before it is. */
export interface CallEnded {
  kind: 'ended';
  id: string;
  at: number;
  /** The name of the status code. */
  outcome: string;
  /** Who ended the call and why, in the words of its context; missing when it was not cut short. */
  reason?: string;
}
