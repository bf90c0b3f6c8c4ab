import { promisify } from 'node:util';
import { type Server, ServerCredentials } from '@grpc/grpc-js';

/** Listens on a free port, tells the process that forked this one which it is, and ends together with that process. */
export async function serve(server: Server): Promise<void> {
  process.once('disconnect', () => process.exit());
  const bind = promisify(server.bindAsync.bind(server));
  const port = await bind('127.0.0.1:0', ServerCredentials.createInsecure());
  process.send?.({ kind: 'listening', address: `127.0.0.1:${port}` });
}
