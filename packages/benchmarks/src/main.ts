import { fileURLToPath } from 'node:url';
import colours from 'picocolors';
import { bench } from './command-line/bench.js';
import { helpText, listText, readCommandLine } from './command-line/command-line.js';
import { writeReport } from './command-line/write-report.js';
import { measurements } from './measurements/measurements.js';

const commandLine = readCommandLine(process.argv.slice(2), measurements);
const output = {
  write: (text: string) => void process.stdout.write(text),
  columns: process.stdout.isTTY ? process.stdout.columns : undefined,
  colours,
};
// A quick run's numbers are not to replace those that are committed.
const folder = fileURLToPath(new URL(commandLine.quick ? '../../../.cache/bench' : '../../../docs', import.meta.url));

if (commandLine.mistake !== undefined) {
  console.error(`${commandLine.mistake}\n\`npm run bench -- --help\` says what there is.`);
  process.exitCode = 1;
} else if (commandLine.action === 'help') {
  console.log(helpText());
} else if (commandLine.action === 'list') {
  console.log(listText(measurements));
} else if (commandLine.action === 'report') {
  process.exitCode = writeReport(measurements, folder, output);
} else {
  process.exitCode = await bench({ ...commandLine, measurements, folder, output });
}
