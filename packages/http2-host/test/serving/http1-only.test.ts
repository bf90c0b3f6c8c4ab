import { once } from 'node:events';
import { constants } from 'node:http2';
import { expect, jest, test } from '@jest/globals';
import express from 'express';
import { askHttp1, http2Client } from '../clients.js';
import { startEchoHost } from '../echo-host.js';

test('an Express application serves HTTP/1.1, and tells clients of HTTP/2, and its developer, that it does no more', async () => {
  const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const app = express().get('/', (request, response) => void response.send(`express ${request.httpVersion}`));
  await using host = await startEchoHost({ http: app });
  const client = http2Client(host.port);

  for (const _ of [1, 2]) {
    const stream = client.request({ ':path': '/' });
    await once(stream, 'error');
    expect(stream.rstCode).toBe(constants.NGHTTP2_HTTP_1_1_REQUIRED);
  }

  expect((await askHttp1(host.port)).body).toBe('express 1.1');
  expect(warn.mock.calls).toEqual([[expect.stringContaining('an Express application does not run on HTTP/2')]]);
  warn.mockRestore();
  client.destroy();
});
