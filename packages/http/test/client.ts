import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { connect as connectHttp2, constants } from 'node:http2';
import { setImmediate } from 'node:timers/promises';
import type { RunningApp } from './apps.js';

export interface Answer {
  status: number;
  body: string;
}

/** One request on a connection of its own. */
export interface SentRequest {
  readonly answer: Promise<Answer>;
  /** HTTP/1.1: destroys the socket. HTTP/2: resets the stream. */
  abort(): void;
}

export function get(app: RunningApp, path: string, headers: Record<string, string> = {}): SentRequest {
  return app.protocol === 'h2' ? getHttp2(app.port, path, headers) : getHttp1(app.port, path, headers);
}

function getHttp1(port: number, path: string, headers: Record<string, string>): SentRequest {
  const request = httpRequest({ host: '127.0.0.1', port, path, headers, agent: new Agent({ keepAlive: false }) }).end();
  const answer = (async () => {
    const [response] = await once(request, 'response');
    return { status: response.statusCode, body: await textOf(response) };
  })();
  answer.catch(() => {});
  return { answer, abort: () => void request.destroy() };
}

function getHttp2(port: number, path: string, headers: Record<string, string>): SentRequest {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  const stream = session.request({ ...headers, ':path': path });
  stream.on('close', () => session.close());
  const answer = (async () => {
    const [response] = await once(stream, 'response');
    return { status: Number(response[':status']), body: await textOf(stream) };
  })();
  answer.catch(() => {});
  return { answer, abort: () => stream.close(constants.NGHTTP2_CANCEL) };
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const chunk of stream) {
    text += String(chunk);
  }
  return text;
}

/** Sends a body in two packets, the first after the server's handler has started, so that it has to wait for both. */
export async function post(app: RunningApp, path: string, type: string, body: [string, string]): Promise<Answer> {
  const headers = { 'content-type': type, expect: '100-continue', 'x-case': path };
  return app.protocol === 'h2' ? postHttp2(app.port, path, headers, body) : postHttp1(app.port, path, headers, body);
}

async function postHttp1(
  port: number,
  path: string,
  headers: Record<string, string>,
  [first, second]: [string, string],
) {
  const agent = new Agent({ keepAlive: false });
  const request = httpRequest({ host: '127.0.0.1', port, path, method: 'POST', headers, agent });
  request.flushHeaders();
  await once(request, 'continue');
  request.write(first);
  await setImmediate();
  request.end(second);
  const [response] = await once(request, 'response');
  return { status: response.statusCode, body: await textOf(response) };
}

async function postHttp2(
  port: number,
  path: string,
  headers: Record<string, string>,
  [first, second]: [string, string],
) {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  const stream = session.request({ ...headers, ':path': path, ':method': 'POST' });
  await once(stream, 'continue');
  stream.write(first);
  await setImmediate();
  stream.end(second);
  const [response] = await once(stream, 'response');
  const answer = { status: Number(response[':status']), body: await textOf(stream) };
  session.close();
  return answer;
}
