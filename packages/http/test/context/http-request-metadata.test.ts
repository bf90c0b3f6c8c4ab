import { once } from 'node:events';
import { request } from 'node:http';
import { currentCallContext, type RequestMetadata } from '@grpc-di/client-factory';
import { describe, expect, test } from '@jest/globals';
import { APP_NAMES, APPS } from '../apps.js';
import { get } from '../client.js';
import { startLeafHop } from '../leaf-client.js';

const HEADERS = {
  authorization: 'Bearer abc',
  cookie: 'a=1; b=2',
  'x-user': 'ann',
  'x-trace-bin': `${Buffer.from([1, 2]).toString('base64')}, ${Buffer.from([3]).toString('base64')}`,
  'x-latin': 'caf\u00e9',
};

const CASES: [string, unknown[]][] = [
  ['authorization', ['Bearer abc']],
  ['Authorization', ['Bearer abc']],
  ['cookie', ['a=1; b=2']],
  ['x-user', ['ann']],
  ['x-trace-bin', [Buffer.from([1, 2]), Buffer.from([3])]],
  ['x-latin', []],
  ['x-other', []],
  ['x-other-bin', []],
  [':path', []],
  ['constructor', []],
];

describe.each(['node:http', 'node:http2'] as const)('%s: the request metadata', (name) => {
  test.each(CASES)('%p is %p', async (header, values) => {
    let found: unknown[] = [];
    await using app = await APPS[name](() => {
      found = currentCallContext()!.requestMetadata!.get(header);
      return '';
    });

    await get(app, '/', HEADERS).answer;

    expect(found).toEqual(values);
  });
});

test('a repeated header is what Node makes of it, for the application as for the services below', async () => {
  let found: RequestMetadata | undefined;
  await using app = await APPS['node:http'](() => {
    found = currentCallContext()!.requestMetadata;
    return '';
  });

  const twice = ['host', 'a', 'authorization', 'Bearer first', 'authorization', 'Bearer second'];
  twice.push('x-tag', 'a', 'x-tag', 'b', 'set-cookie', 'c', 'set-cookie', 'd');
  const [response] = await once(request({ host: '127.0.0.1', port: app.port, headers: twice }).end(), 'response');
  response.resume();

  expect(found!.get('authorization')).toEqual(['Bearer first']);
  expect(found!.get('x-tag')).toEqual(['a, b']);
  expect(found!.get('set-cookie')).toEqual(['c', 'd']);
});

describe.each(APP_NAMES)('%s', (name) => {
  test('a client passes on the headers that it names, and no others', async () => {
    await using hop = await startLeafHop({ metadata: ['Authorization', 'x-trace-bin', 'x-latin'] });
    await using app = await APPS[name](async () => (await hop.call('named')).text);

    const { answer } = get(app, '/', HEADERS);
    const arrival = await hop.leaf.arrived('named');
    arrival.answer();
    await answer;

    expect(arrival.metadata.get('authorization')).toEqual(['Bearer abc']);
    expect(arrival.metadata.get('x-trace-bin')).toEqual([Buffer.from([1, 2]), Buffer.from([3])]);
    for (const other of ['cookie', 'x-user', 'x-latin']) {
      expect(arrival.metadata.get(other)).toEqual([]);
    }
  });
});
