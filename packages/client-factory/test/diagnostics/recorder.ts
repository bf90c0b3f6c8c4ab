import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { diagnosticsChannels } from '@grpc-di/client-factory';

export type EventName = keyof typeof diagnosticsChannels;

/** One message, and where it was published. */
export interface Recorded {
  readonly event: EventName;
  readonly message: Record<string, unknown>;
}

/** Everything that is published on the channels, while it is not disposed. */
export interface Recording extends Disposable {
  readonly all: readonly Recorded[];
  /** The messages of one channel. */
  of(event: EventName): Array<Record<string, unknown>>;
  /** The names of what was published, in order. */
  readonly order: EventName[];
}

const ALL = Object.keys(diagnosticsChannels) as EventName[];

/** @param onMessage runs in the async context of the publisher. */
export function record(
  events: readonly EventName[] = ALL,
  onMessage: (recorded: Recorded) => void = () => {},
): Recording {
  const all: Recorded[] = [];
  const listeners = events.map((event) => {
    const listener = (message: unknown): void => {
      const recorded = { event, message: message as Record<string, unknown> };
      all.push(recorded);
      onMessage(recorded);
    };
    subscribe(diagnosticsChannels[event], listener);
    return { event, listener };
  });
  return {
    all,
    of: (event) => all.filter((recorded) => recorded.event === event).map(({ message }) => message),
    get order() {
      return all.map(({ event }) => event);
    },
    [Symbol.dispose]() {
      for (const { event, listener } of listeners) {
        unsubscribe(diagnosticsChannels[event], listener);
      }
    },
  };
}
