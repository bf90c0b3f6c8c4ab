import type { RequestListener } from 'node:http';
import { createHttp2Host } from '@grpc-di/http2-host';

/** An application on a port that speaks both versions of HTTP. */
export async function startApp(http: RequestListener): Promise<{ port: number } & AsyncDisposable> {
  const host = createHttp2Host({ http });
  const { port } = await host.listen(0, '127.0.0.1');
  return { port, [Symbol.asyncDispose]: () => host.close({ graceMs: 0 }) };
}
