import type { ServerResponse } from 'node:http';
import type { CallEvent } from './call-event.js';

/** As much as a page that is opened later gets to see. */
const REMEMBERED = 500;

/** What all services reported, sent on to every page that is open, as server-sent events. */
export class CallLog {
  private readonly events: CallEvent[] = [];
  private readonly pages = new Set<ServerResponse>();

  add(event: CallEvent): void {
    this.events.push(event);
    if (this.events.length > REMEMBERED) {
      this.events.shift();
    }
    for (const page of this.pages) {
      page.write(message(event));
    }
  }

  sendTo(page: ServerResponse): void {
    page.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    // An empty log has to begin as well: the browser counts the stream as open when its headers are there.
    page.write(`:\n\n${this.events.map(message).join('')}`);
    this.pages.add(page);
    page.once('close', () => this.pages.delete(page));
  }
}

function message(event: CallEvent): string {
  return `data: ${JSON.stringify(event)}\n\n`;
}
