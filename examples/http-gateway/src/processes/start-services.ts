import { fork } from 'node:child_process';
import type { CallEvent } from '../calls/call-event.js';

/** Where the services are that the gateway calls. */
export interface ServiceAddresses {
  flights: string;
  hotels: string;
}

type Report = (event: CallEvent) => void;

/** The four services, each in a process of its own; each has to know where those are that it calls. */
export async function startServices(report: Report): Promise<ServiceAddresses> {
  const RATES_ADDRESS = await start('rates', {}, report);
  const PRICES_ADDRESS = await start('prices', { RATES_ADDRESS }, report);
  const [flights, hotels] = await Promise.all([
    start('flights', { PRICES_ADDRESS }, report),
    start('hotels', { PRICES_ADDRESS }, report),
  ]);
  return { flights, hotels };
}

/** Resolves to its address. The service ends with this process, and the other way round. */
function start(name: string, env: NodeJS.ProcessEnv, report: Report): Promise<string> {
  const child = fork(new URL(`../${name}/main.js`, import.meta.url), { env: { ...process.env, ...env } });
  child.once('exit', (code, signal) => {
    console.error(`The ${name} service ended with ${signal ?? `exit code ${code}`}; what it said is above.`);
    process.exit(1);
  });
  return new Promise((resolve) => {
    child.on('message', (message: CallEvent | { kind: 'listening'; address: string }) => {
      if (message.kind === 'listening') {
        resolve(message.address);
      } else {
        report(message);
      }
    });
  });
}
