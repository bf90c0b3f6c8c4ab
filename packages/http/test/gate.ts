import { EventEmitter, once } from 'node:events';

/** Promises by name: whoever waits and whoever lets it pass need not know who comes first. */
export class Gates<T = void> {
  private readonly passed = new Map<string, T>();
  private readonly events = new EventEmitter().setMaxListeners(0);

  open(name: string, value: T): void {
    this.passed.set(name, value);
    this.events.emit(`passed ${name}`);
  }

  async at(name: string): Promise<T> {
    if (!this.passed.has(name)) {
      await once(this.events, `passed ${name}`);
    }
    return this.passed.get(name)!;
  }
}
