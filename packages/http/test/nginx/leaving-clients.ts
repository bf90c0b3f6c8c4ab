import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';

/** A client that leaves when it is told to. */
export interface LeavingClient {
  leave(): void;
}

/** curl in a process of its own, which leaves as a crash would: it is killed. */
export function startCurl(program: string, args: string[], input: Buffer = Buffer.alloc(0)): LeavingClient {
  const child = spawn(program, ['--silent', ...args], { stdio: ['pipe', 'ignore', 'ignore'] });
  child.stdin.end(input);
  return { leave: () => void child.kill('SIGKILL') };
}

/** An HTTP/1.1 request on a bare socket, which is destroyed or only ended by its client. */
export async function startRaw(port: number, path: string, how: 'destroy' | 'end'): Promise<LeavingClient> {
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  await once(socket, 'connect');
  socket.write(`GET ${path} HTTP/1.1\r\nHost: test\r\n\r\n`);
  return {
    leave() {
      socket[how]();
    },
  };
}
