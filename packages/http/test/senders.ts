import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { type ClientHttp2Session, connect, constants } from 'node:http2';
import type { RunningApp } from './apps.js';

/** Sends many requests on connections that stay open. */
export interface Sender {
  /** Resolves to the status, or to `undefined` where the client left because `abandoned` was settled. */
  send(path: string, headers: Record<string, string>, abandoned?: Promise<unknown>): Promise<number | undefined>;
  close(): void;
}

/** @param maxSockets of HTTP/1.1; HTTP/2 has one */
export function senderTo(app: RunningApp, maxSockets: number): Sender {
  return app.protocol === 'h2' ? overHttp2(app) : overHttp1(app, maxSockets);
}

function overHttp1(app: RunningApp, maxSockets: number): Sender {
  const agent = new Agent({ keepAlive: true, maxSockets });
  return {
    close: () => agent.destroy(),
    async send(path, headers, abandoned) {
      const sending = request({ host: '127.0.0.1', port: app.port, path, agent, headers });
      const responded = once(sending.end(), 'response');
      if (abandoned !== undefined) {
        responded.catch(() => {});
        await abandoned;
        sending.destroy();
        return undefined;
      }
      const [response] = await responded;
      response.resume();
      return response.statusCode;
    },
  };
}

function overHttp2(app: RunningApp): Sender {
  const session: ClientHttp2Session = connect(`http://127.0.0.1:${app.port}`);
  return {
    close: () => session.destroy(),
    async send(path, headers, abandoned) {
      const stream = session.request({ ':path': path, ...headers });
      const responded = once(stream, 'response');
      if (abandoned !== undefined) {
        await abandoned;
        stream.close(constants.NGHTTP2_CANCEL);
        return undefined;
      }
      const [response] = await responded;
      stream.resume();
      return response[':status'];
    },
  };
}
