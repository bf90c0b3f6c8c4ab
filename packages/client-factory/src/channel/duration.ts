/** Seconds with at most nine decimals, such as `'0.1s'`; at most 20 days. */
export type DurationText = `${number}s`;

/** As grpc-js parses it. */
export interface Duration {
  readonly seconds: number;
  readonly nanos: number;
}

/** Of a text that a check let pass. */
export function toDuration(text: DurationText): Duration {
  const [seconds, decimals = ''] = text.slice(0, -1).split('.');
  return { seconds: Number(seconds), nanos: Number(decimals.padEnd(9, '0')) };
}
