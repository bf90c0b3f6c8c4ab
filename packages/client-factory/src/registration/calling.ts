import { types } from 'node:util';
import { describeValue } from '@grpc-di/call-context/opener';

/**
 * Runs what the user wrote, and puts the owner before the message of what it throws. That itself becomes the `cause`:
 * its stack shows where it went wrong. One error is named once, where several parts of one client are made within each
 * other.
 */
export function calling<T>(owner: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    if (types.isNativeError(cause) && cause.message.startsWith(`${owner}: `)) {
      throw cause;
    }
    const message = types.isNativeError(cause) ? cause.message : describeValue(cause);
    throw new Error(`${owner}: ${message}`, { cause });
  }
}
