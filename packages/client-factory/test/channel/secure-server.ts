import { type ChannelCredentials, credentials, type Metadata, ServerCredentials } from '@grpc/grpc-js';
import { LeafService, type RunningServer, startServer } from '@grpc-di/test-rig';
import { handlersOf, type ServedCall } from '../call/served-calls.js';
import { authority, certificateFor } from './certificates.js';

/** A TLS server of the Leaf service for `localhost`, that keeps the metadata of the calls that reach it. */
export interface SecureServer extends RunningServer {
  /** An https URL. */
  readonly url: string;
  /** Credentials that trust the server. */
  readonly trusting: ChannelCredentials;
  /** The request metadata of every call so far. */
  readonly arrived: Metadata[];
  /** What is done with every call; default: it is answered. */
  handle: (served: ServedCall) => void;
}

export async function startSecureServer(): Promise<SecureServer> {
  const ca = await authority('Test CA');
  const { key, certificate } = await certificateFor('localhost', ca);
  const tls = ServerCredentials.createSsl(null, [{ private_key: key, cert_chain: certificate }]);
  const arrived: Metadata[] = [];
  const running = await startServer(
    (server) =>
      server.addService(
        LeafService,
        handlersOf((served) => {
          arrived.push(served.call.metadata);
          secure.handle(served);
        }),
      ),
    {},
    tls,
  );
  const secure: SecureServer = {
    ...running,
    url: `https://localhost:${running.port}`,
    trusting: credentials.createSsl(ca.certificate),
    arrived,
    handle: ({ answer }) => answer(),
  };
  return secure;
}
