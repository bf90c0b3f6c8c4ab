import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '');

/** Runs a Node script with this very Node and shows its output; resolves to its exit code. */
export function node(script, args = [], options = {}) {
  return run(options.node ?? process.execPath, [...(options.nodeArgs ?? []), script, ...args], options);
}

/** npm, and through it what npm can fetch. Inside `npm start` it is the npm that runs us. */
export function npm(args, options = {}) {
  const cli = process.env.npm_execpath;
  if (cli !== undefined && /npm-cli\.c?js$/.test(cli)) return node(cli, args, options);
  return run('npm', args, { ...options, shell: process.platform === 'win32' });
}

/** Like node(), but keeps the output back: for checks, which show it only when they fail. */
export async function captured(start) {
  const chunks = [];
  const code = await start({ onOutput: (chunk) => chunks.push(chunk) });
  return { code, output: Buffer.concat(chunks).toString() };
}

function run(command, args, { cwd = root, env = {}, onOutput, shell = false } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      shell,
      env: { ...process.env, ...env },
      stdio: onOutput === undefined ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    });
    child.stdout?.on('data', onOutput);
    child.stderr?.on('data', onOutput);
    child.on('error', (error) => {
      console.error(`${command}: ${error.message}`);
      resolve(127);
    });
    child.on('close', (code) => resolve(code ?? 1));
  });
}
