import { Metadata } from '@grpc/grpc-js';
import type { GrpcClient } from '@grpc-di/client-factory';
import type { KindsClient, Response } from '../../generated/stubs/v1/stubs.js';

export const kinds = ['unary', 'server streaming', 'client streaming', 'bidirectional streaming'] as const;
export type Kind = (typeof kinds)[number];

type Respond = (response: unknown) => void;
/** What a served call does: one child call with one message each way, and its answer. */
export type Handle = (deadline: number, respond: Respond) => void | Promise<void>;

const request = { id: 'ada' };

/** grpc-js's forms, with the deadline passed by hand. */
export function byHand(kind: Kind, client: KindsClient): Handle {
  switch (kind) {
    case 'unary':
      return (deadline, respond) => {
        client.unary(request, new Metadata(), { deadline }, (error, response) => respond(error ?? response));
      };
    case 'server streaming':
      return (deadline, respond) => whole(client.serverStreaming(request, { deadline }), respond);
    case 'client streaming':
      return (deadline, respond) => {
        const call = client.clientStreaming(new Metadata(), { deadline }, (error, response) =>
          respond(error ?? response),
        );
        call.write(request);
        call.end();
      };
    case 'bidirectional streaming':
      return (deadline, respond) => {
        const call = client.bidiStreaming({ deadline });
        call.write(request);
        call.end();
        whole(call, respond);
      };
  }
}

/** What people write who want promises of grpc-js, with the deadline passed by hand. */
export function promisesByHand(kind: Kind, client: KindsClient): Handle {
  switch (kind) {
    case 'unary':
      return async (deadline, respond) => {
        const response = await new Promise<Response>((resolve, reject) => {
          client.unary(request, new Metadata(), { deadline }, (error, value) =>
            error === null ? resolve(value) : reject(error),
          );
        });
        respond(response);
      };
    case 'server streaming':
      return async (deadline, respond) => respond(await last(client.serverStreaming(request, { deadline })));
    case 'client streaming':
      return async (deadline, respond) => {
        const response = await new Promise<Response>((resolve, reject) => {
          const call = client.clientStreaming(new Metadata(), { deadline }, (error, value) =>
            error === null ? resolve(value) : reject(error),
          );
          call.write(request);
          call.end();
        });
        respond(response);
      };
    case 'bidirectional streaming':
      return async (deadline, respond) => {
        const call = client.bidiStreaming({ deadline });
        call.write(request);
        call.end();
        respond(await last(call));
      };
  }
}

/** An injected client in grpc-js's forms. @param passDeadline where the client does not propagate. */
export function injected(kind: Kind, client: GrpcClient<KindsClient>, passDeadline: boolean): Handle {
  const optionsOf = (deadline: number) => (passDeadline ? { deadline } : {});
  switch (kind) {
    case 'unary':
      return (deadline, respond) => {
        client.unary(request, optionsOf(deadline), (error, response) => respond(error ?? response));
      };
    case 'server streaming':
      return (deadline, respond) => whole(client.serverStreaming(request, optionsOf(deadline)), respond);
    case 'client streaming':
      return (deadline, respond) => {
        const call = client.clientStreaming(optionsOf(deadline), (error, response) => respond(error ?? response));
        call.write(request);
        call.end();
      };
    case 'bidirectional streaming':
      return (deadline, respond) => {
        const call = client.bidiStreaming(optionsOf(deadline));
        call.write(request);
        call.end();
        whole(call, respond);
      };
  }
}

/** An injected client in the promise forms. @param passDeadline where the client does not propagate. */
export function injectedPromises(kind: Kind, client: GrpcClient<KindsClient>, passDeadline: boolean): Handle {
  const optionsOf = (deadline: number) => (passDeadline ? { deadline } : undefined);
  switch (kind) {
    case 'unary':
      return async (deadline, respond) => respond(await client.unary(request, optionsOf(deadline)));
    case 'server streaming':
      return async (deadline, respond) => respond(await last(client.serverStreaming(request, optionsOf(deadline))));
    case 'client streaming':
      return async (deadline, respond) => respond(await client.clientStreaming([request], optionsOf(deadline)));
    case 'bidirectional streaming':
      return async (deadline, respond) => respond(await last(client.bidiStreaming([request], optionsOf(deadline))));
  }
}

function whole(call: NodeJS.ReadableStream, respond: Respond): void {
  let response: unknown;
  call.on('data', (message) => {
    response = message;
  });
  call.on('error', respond);
  call.on('end', () => respond(response));
}

async function last(messages: AsyncIterable<Response>): Promise<Response | undefined> {
  let response: Response | undefined;
  for await (const message of messages) {
    response = message;
  }
  return response;
}
