import { describeValue } from '@grpc-di/call-context/opener';
import type { Container } from 'inversify';

/** @throws TypeError naming the caller. */
export function checkContainer(container: Container, caller: string): void {
  if (typeof container?.bind !== 'function' || typeof container.isCurrentBound !== 'function') {
    throw new TypeError(`${caller}: container must be an inversify Container, not ${describeValue(container)}`);
  }
}
