/** What a service tells the runner of the calls that it serves. Times are epoch milliseconds. */
export type CallEvent = CallStarted | CallEnded;

export interface CallStarted {
  kind: 'started';
  id: string;
  /** All calls of one scenario have the same one. */
  trace: string;
  service: string;
  method: string;
  caller: string;
  at: number;
  /** `Infinity` when there is none. */
  deadline: number;
}

export interface CallEnded {
  kind: 'ended';
  id: string;
  trace: string;
  at: number;
  /** The name of the status code. */
  outcome: string;
}
