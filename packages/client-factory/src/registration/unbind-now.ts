import type { BindingIdentifier, Container, ServiceIdentifier } from 'inversify';

/** Whatever has no asynchronous deactivation. inversify 7 calls it `unbindSync`. */
export function unbindNow(container: Container, bound: BindingIdentifier | ServiceIdentifier): void {
  const name = 'unbindSync' in container ? ('unbindSync' as 'unbind') : 'unbind';
  container[name](bound);
}
