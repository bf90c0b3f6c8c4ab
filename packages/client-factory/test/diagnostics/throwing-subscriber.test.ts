import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { status } from '@grpc/grpc-js';
import { diagnosticsChannels } from '@grpc-di/client-factory';
import { expect, test } from '@jest/globals';

test('subscribers that throw harm no call: Node has them as uncaught exceptions', async () => {
  const fixture = fileURLToPath(new URL('./fixtures/throwing-subscriber.js', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [fixture]);
  const { callStart, callCancel, callEnd, channelOpen, channelClose, contextNotFound } = diagnosticsChannels;
  expect(JSON.parse(stdout)).toEqual({
    id: 'leaf',
    code: status.CANCELLED,
    uncaught: [
      contextNotFound,
      channelOpen,
      callStart,
      callEnd,
      contextNotFound,
      callStart,
      callCancel,
      callEnd,
      channelClose,
    ],
  });
}, 30_000);
