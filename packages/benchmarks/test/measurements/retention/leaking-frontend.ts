import { grpcJsFrontend } from '../../../dist/contestants/grpc-js-frontend.js';
import { serveFrontend } from '../../../dist/processes/serve-frontend.js';

// `leaking-frontend.js <upstream> <numbers>`: keeps an array of so many numbers for each child call, and warns of it.
const [upstream, numbers] = process.argv.slice(2);
const kept: object[] = [];

await serveFrontend(
  {
    name: 'leaking',
    packages: [],
    passesOn: { deadline: false, cancellation: false },
    startFrontend: (address) =>
      grpcJsFrontend(address, () => {
        if (numbers !== '0') {
          kept.push(Array.from({ length: Number(numbers) }, Math.random));
          process.emitWarning(`${numbers} numbers are kept`, 'LeakWarning');
        }
        return {};
      }),
  },
  upstream!,
);
