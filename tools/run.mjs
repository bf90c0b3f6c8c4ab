// The one entry of every npm script. Needs nothing but Node and npm: the rest is installed on first use.
// Syntax and imports stay plain up to the version check, so that an old Node can print the message.
import { readFileSync } from 'node:fs';

const needed = /(\d+)\.(\d+)/.exec(
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).engines.node,
);
const found = process.versions.node.split('.').map(Number);
if (found[0] < Number(needed[1]) || (found[0] === Number(needed[1]) && found[1] < Number(needed[2]))) {
  console.error(
    'grpc-di needs Node ' +
      needed[0] +
      ' or newer; this is Node ' +
      process.versions.node +
      ' (' +
      process.execPath +
      ').',
  );
  process.exit(1);
}

const commands = {
  bench: () => import('./bench.mjs'),
  build: () => import('./build.mjs'),
  check: () => import('./check.mjs'),
  fix: () => import('./fix.mjs'),
  gateway: () => example('http-gateway'),
  generate: () => import('./generate.mjs'),
  mesh: () => example('service-mesh'),
  nodes: () => import('./nodes.mjs'),
  pnpm: () => import('./install.mjs').then(({ pnpm }) => ({ default: (args) => pnpm(args) })),
  start: () => example('nested-services'),
  test: () => import('./test.mjs'),
};

const name = process.argv[2];
if (!Object.hasOwn(commands, name)) {
  console.error('usage: node tools/run.mjs ' + Object.keys(commands).join('|') + ' [arguments]');
  process.exit(2);
}
const command = await commands[name]();
process.exitCode = await command.default(process.argv.slice(3));

function example(name) {
  return import('./start.mjs').then(({ default: start }) => ({ default: (args) => start(name, args) }));
}
