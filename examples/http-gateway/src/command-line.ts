import { parseArgs } from 'node:util';

const DEFAULT_PORT = 8080;

/** The port to listen on; 0 is any free one. */
export function readPort(args: string[]): number {
  const { port } = parseArgs({ args, options: { port: { type: 'string' } } }).values;
  const number = port === undefined ? DEFAULT_PORT : Number(port);
  if (!Number.isInteger(number) || number < 0 || number > 65_535) {
    throw new TypeError(`--port must be a number from 0 to 65535, not '${port}': npm run gateway -- --port 8081`);
  }
  return number;
}
