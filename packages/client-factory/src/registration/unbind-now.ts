import type { BindingIdentifier, ServiceIdentifier } from 'inversify';

/** The synchronous `unbind`, which inversify 7 calls `unbindSync`. */
export function unbindNow(
  container: { unbind(binding: BindingIdentifier | ServiceIdentifier): unknown },
  binding: BindingIdentifier | ServiceIdentifier,
): void {
  const name = 'unbindSync' in container ? ('unbindSync' as 'unbind') : 'unbind';
  container[name](binding);
}
