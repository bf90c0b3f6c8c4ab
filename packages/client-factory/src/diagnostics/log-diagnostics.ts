import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describeValue } from '@grpc-di/call-context/opener';
import { type LogLevel, type LogLine, logLines } from './log-lines.js';
import { diagnosticsChannels } from './messages.js';

/** A level of a logger: a text alone, or the message's fields before it, as pino and bunyan take them. */
export interface LogMethod {
  (text: string): void;
  (fields: object, text: string): void;
}

/** What `console`, pino, winston, bunyan and most others are. */
export type DiagnosticsLogger = { readonly [level in LogLevel]: LogMethod };

export interface LogDiagnosticsOptions {
  /** The least level that is logged: below it, nothing is even made. Default `'debug'`. */
  level?: LogLevel;
  /**
   * `true`: `logger.debug(fields, text)`, for loggers that keep fields apart: pino, bunyan. Default `false`:
   * `logger.debug(text)`, which every logger takes.
   */
  fields?: boolean;
}

/** Ends the logging, with {@link unsubscribe} or `using`. */
export interface DiagnosticsLog extends Disposable {
  unsubscribe(): void;
}

/**
 * Feeds a logger from the diagnostics of all gRPC clients in the process.
 *
 * - `debug`: a call starts; it ends with OK, CANCELLED or DEADLINE_EXCEEDED, which happen all day; it is cancelled, by
 *   whom and why; a channel is opened or closed; no call context was found, with `onContextNotFound: 'ignore'`.
 * - `info`: a call failed with any other status. Whether that is an error is for its caller to say.
 * - `warn`: no call context was found.
 *
 * A logger that throws harms no call: the first time is a process warning.
 *
 * @throws TypeError for a logger that has not all three methods, and unknown or wrong options.
 * @example
 * using log = logGrpcDiagnostics(console, { level: 'info' });
 * @example
 * const log = logGrpcDiagnostics(pino(), { fields: true });
 * log.unsubscribe();
 */
export function logGrpcDiagnostics(logger: DiagnosticsLogger, options: LogDiagnosticsOptions = {}): DiagnosticsLog {
  check(logger, options);
  const { level = 'debug', fields = false } = options;
  const feed = new LoggerFeed(logger, LEVELS.indexOf(level), fields);
  const subscriptions = Object.values(diagnosticsChannels)
    .map((name) => ({ name, line: logLines[name] as LogLine<never> }))
    .filter(({ line }) => LEVELS.indexOf(line.highestLevel) >= LEVELS.indexOf(level))
    .map(({ name, line }) => ({ name, listener: (message: unknown) => feed.take(line, message as never) }));
  for (const { name, listener } of subscriptions) {
    subscribe(name, listener);
  }
  const stop = (): void => {
    for (const { name, listener } of subscriptions) {
      unsubscribe(name, listener);
    }
  };
  return { unsubscribe: stop, [Symbol.dispose]: stop };
}

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn'];

class LoggerFeed {
  private hasThrown = false;

  constructor(
    private readonly logger: DiagnosticsLogger,
    private readonly leastLevel: number,
    private readonly withFields: boolean,
  ) {}

  take<Message extends object>(line: LogLine<Message>, message: Message): void {
    const level = line.levelOf(message);
    if (LEVELS.indexOf(level) < this.leastLevel) {
      return;
    }
    try {
      if (this.withFields) {
        this.logger[level](message, line.textOf(message));
      } else {
        this.logger[level](line.textOf(message));
      }
    } catch (error) {
      this.warnOnce(error);
    }
  }

  /** A subscriber that throws is an uncaught exception. */
  private warnOnce(error: unknown): void {
    if (!this.hasThrown) {
      this.hasThrown = true;
      process.emitWarning(`logGrpcDiagnostics(logger): the logger threw, which is told once: ${describeValue(error)}`);
    }
  }
}

function check(logger: DiagnosticsLogger, options: LogDiagnosticsOptions): void {
  for (const level of LEVELS) {
    if (typeof logger?.[level] !== 'function') {
      throw new TypeError(`logGrpcDiagnostics(logger): the logger must have a method ${level}(), as console has`);
    }
  }
  for (const [option, value] of Object.entries(options)) {
    if (value !== undefined) {
      checkOption(option, value);
    }
  }
}

function checkOption(option: string, value: unknown): void {
  switch (option) {
    case 'level':
      if (!LEVELS.includes(value as LogLevel)) {
        throw new TypeError(
          `logGrpcDiagnostics(logger, options): level must be 'debug', 'info' or 'warn', not ${describeValue(value)}`,
        );
      }
      return;
    case 'fields':
      if (typeof value !== 'boolean') {
        throw new TypeError(
          `logGrpcDiagnostics(logger, options): fields must be a boolean, not ${describeValue(value)}`,
        );
      }
      return;
    default:
      throw new TypeError(`logGrpcDiagnostics(logger, options): unknown option "${option}": it takes level and fields`);
  }
}
