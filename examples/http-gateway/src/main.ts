import 'reflect-metadata';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GrpcClientFactory } from '@grpc-di/client-factory';
import { CallLog } from './calls/call-log.js';
import { readPort } from './command-line.js';
import { gatewayApp } from './gateway/app.js';
import { gatewayContainer } from './gateway/container.js';
import { startServices } from './processes/start-services.js';

try {
  const port = readPort(process.argv.slice(2));
  const log = new CallLog();
  const container = gatewayContainer(await startServices((event) => log.add(event)));
  await container.get(GrpcClientFactory).waitForReady();

  const server = createServer(gatewayApp(container, log));
  server.once('error', fail);
  server.listen(port, '127.0.0.1', () => {
    console.log(`The gateway is open: http://127.0.0.1:${(server.address() as AddressInfo).port} (Ctrl+C ends it)`);
  });
} catch (error) {
  fail(error);
}

function fail(error: unknown): never {
  const { code, message } = error as NodeJS.ErrnoException;
  console.error(code === 'EADDRINUSE' ? `${message}. Another one: npm run gateway -- --port 8081` : message);
  process.exit(1);
}
