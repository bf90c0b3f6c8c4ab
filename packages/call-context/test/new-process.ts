import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type * as callContext from '@grpc-di/call-context';
import type * as opener from '@grpc-di/call-context/opener';

/** Where `@grpc-di/call-context` resolves to this package. */
const packageFolder = fileURLToPath(new URL('..', import.meta.url));

export interface ProcessOutcome {
  exitCode: number | null;
  stdout: string;
  /** Node's warnings and uncaught errors; empty when there was nothing to say. */
  stderr: string;
}

/**
 * Runs `program` in a process of its own, for what a test's process hides: warnings, unhandled rejections, exits.
 * The program is passed as text: it sees its parameter and globals, nothing around it. A process that does not end by
 * itself is killed: its exit code is `null`.
 */
export async function runInNewProcess(
  program: (api: typeof callContext & typeof opener) => unknown,
  nodeOptions: string[] = [],
): Promise<ProcessOutcome> {
  const source = `
    import * as callContext from '@grpc-di/call-context';
    import * as opener from '@grpc-di/call-context/opener';
    await (${program.toString()})({ ...callContext, ...opener });`;
  const child = spawn(process.execPath, [...nodeOptions, '--input-type=module', '--eval', source], {
    cwd: packageFolder,
    env: {},
    timeout: 30_000,
    killSignal: 'SIGKILL',
  });
  const outcome: ProcessOutcome = { exitCode: null, stdout: '', stderr: '' };
  child.stdout.on('data', (text) => (outcome.stdout += text));
  child.stderr.on('data', (text) => (outcome.stderr += text));
  outcome.exitCode = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  return outcome;
}
