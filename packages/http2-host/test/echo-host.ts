import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { Server, type ServerInterceptor } from '@grpc/grpc-js';
import { createHttp2Host, type Http2Host, type Http2HostOptions } from '@grpc-di/http2-host';
import { LeafService, type RelayReply, type RelayRequest, type RelayServer } from '@grpc-di/test-rig';

export interface EchoHost extends AsyncDisposable {
  readonly host: Http2Host;
  readonly port: number;
  readonly grpc: Server;
}

export interface EchoHostOptions {
  readonly tls?: Http2HostOptions['tls'];
  readonly interceptors?: ServerInterceptor[];
  readonly handlers?: Partial<RelayServer>;
  readonly http?: RequestListener;
}

/** Services of all kinds that answer with what they are sent, beside an application that says what it was asked. */
export async function startEchoHost({ tls, interceptors, handlers, http }: EchoHostOptions = {}): Promise<EchoHost> {
  const grpc = new Server({ interceptors });
  grpc.addService(LeafService, { ...ECHO, ...handlers } as RelayServer & Record<string, never>);
  const host = createHttp2Host({ grpc, http: http ?? sayWhatWasAsked, tls });
  const { port } = await host.listen(0, '127.0.0.1');
  return { host, port, grpc, [Symbol.asyncDispose]: () => host.close({ graceMs: 0 }) };
}

export const sayWhatWasAsked: RequestListener = (request, response) => {
  let octets = 0;
  request.on('data', (chunk: Buffer) => {
    octets += chunk.length;
  });
  void once(request, 'end').then(() => {
    response.setHeader('content-type', 'text/plain');
    response.end(`${request.method} ${request.url} ${request.httpVersion} ${octets}`);
  });
};

export function echo({ id }: RelayRequest): RelayReply {
  return { id, text: 'echo', deadline: 0 };
}

const ECHO: RelayServer = {
  unary: (call, respond) => respond(null, echo(call.request)),
  serverStream(call) {
    for (const _ of [1, 2, 3]) {
      call.write(echo(call.request));
    }
    call.end();
  },
  clientStream(call, respond) {
    let count = 0;
    call.on('data', () => {
      count += 1;
    });
    call.on('end', () => respond(null, { id: String(count), text: 'echo', deadline: 0 }));
  },
  bidi(call) {
    call.on('data', (request: RelayRequest) => call.write(echo(request)));
    call.on('end', () => call.end());
  },
};
