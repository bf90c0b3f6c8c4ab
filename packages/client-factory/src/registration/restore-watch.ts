import type { Container } from 'inversify';
import { unbindNow } from './unbind-now.js';

/**
 * Notices that `restore()` has taken back what was registered in a container since the snapshot: inversify tells nobody.
 * The container holds a mark, another one after each registration, and so after `restore()` an earlier one. To look at it
 * costs the same however many registrations there are.
 */
export class RestoreWatch {
  private readonly identifier = Symbol('grpc-di mark of the latest registration');
  /** No mark is given twice: after `restore()` the same number of registrations may be others. */
  private lastGiven = 0;
  private expected = 0;
  private found = 0;
  private noticed = 0;

  constructor(private readonly container: Container) {}

  /** How often it was noticed until now. */
  get restores(): number {
    this.found = 0;
    this.container.isCurrentBound(this.identifier);
    if (this.found !== this.expected) {
      this.expected = this.found;
      this.noticed++;
    }
    return this.noticed;
  }

  /** To be called for each registration, after it is bound or before, but within the same tick. */
  mark(): void {
    // A new mark would hide that an earlier one has come back.
    void this.restores;
    const mark = ++this.lastGiven;
    this.expected = mark;
    unbindNow(this.container, this.identifier);
    this.container
      .bind(this.identifier)
      .toConstantValue(mark)
      .when(() => {
        this.found = mark;
        return false;
      });
  }
}
