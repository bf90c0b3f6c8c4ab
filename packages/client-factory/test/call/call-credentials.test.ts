import 'reflect-metadata';
import { credentials, Metadata, status } from '@grpc/grpc-js';
import { CALL_KINDS, type RunningLeaf, startLeaf } from '@grpc-di/test-rig';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { FORMS, startChild } from '../propagation/child-call.js';
import { type ConnectedClient, caseName, connect, start } from './served-calls.js';

let leaf: RunningLeaf;
let connected: ConnectedClient;

beforeAll(async () => {
  leaf = await startLeaf();
  connected = connect(leaf.address);
});

afterAll(async () => {
  await connected[Symbol.asyncDispose]();
  await leaf[Symbol.asyncDispose]();
});

describe.each(CALL_KINDS.flatMap((kind) => FORMS.map((form) => [kind, form] as const)))('%s, %s form', (kind, form) => {
  test('call credentials on an insecure channel: UNAUTHENTICATED, and nothing leaves the process', async () => {
    const caseId = caseName();
    let generated = 0;
    const token = credentials.createFromMetadataGenerator((_call, give) => {
      generated++;
      const metadata = new Metadata();
      metadata.set('authorization', 'Bearer secret');
      give(null, metadata);
    });

    const error = await startChild(connected.client, kind, form, caseId, { credentials: token });

    expect(error?.code).toBe(status.UNAUTHENTICATED);
    expect(error?.details).toBe(
      "The call brings call credentials, and the channel of gRPC client 'grpc_di.test.v1.Leaf' is insecure: they would " +
        'be sent in clear text. Use an https address or secure channel credentials, or register the client with ' +
        'unsafeUseInsecureChannelCallCredentials: true.',
    );
    expect(error?.metadata).toBeInstanceOf(Metadata);
    expect(generated).toBe(0);
    const later = startChild(connected.client, 'unary', 'promise', `after ${caseId}`);
    (await leaf.arrived(`after ${caseId}`)).answer();
    await later;
    expect(leaf.arrivals(caseId)).toBe(0);
  });
});

test.each(CALL_KINDS)('a %s call that was refused for them has a status and trailers', async (kind) => {
  const call = start(connected.client, kind, {
    credentials: credentials.createFromMetadataGenerator((_call, give) => give(null, new Metadata())),
  });

  expect((await call.status).code).toBe(status.UNAUTHENTICATED);
  expect(await call.trailers).toBeInstanceOf(Metadata);
  await expect(call.headers).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
});
