import { injectable } from 'inversify';

/** What is said of one request: bound in request scope, so that all objects that serve it share one. */
@injectable()
export class RequestLog {
  private readonly entries: string[] = [];

  add(entry: string): void {
    this.entries.push(entry);
  }

  write(title: string): void {
    console.log([title.padEnd(8), ...this.entries].join('  '));
  }
}
