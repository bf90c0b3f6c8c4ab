import 'reflect-metadata';
import { type CommandLine, helpText, readCommandLine } from './command-line.js';
import { report } from './report.js';
import type { Scenario } from './scenarios/scenario.js';
import { Shops } from './shop/shops.js';
import type { Trace } from './tracing/trace.js';
import { coloured, plain, wantsColour } from './waterfall/paint.js';
import { LEGEND } from './waterfall/waterfall.js';

const commandLine = readCommandLine(process.argv.slice(2));
if (commandLine.mistake !== undefined) {
  console.error(commandLine.mistake);
  process.exitCode = 1;
} else if (commandLine.help) {
  console.log(helpText());
} else {
  process.exitCode = await show(commandLine);
}

/** Plays the scenarios one after the other; resolves to the exit code. */
async function show({ scenarios, colour }: CommandLine): Promise<number> {
  const paint = colour && wantsColour(process.env, process.stdout.isTTY) ? coloured : plain;
  const failed: string[] = [];
  const shops = new Shops();
  try {
    console.log(`${LEGEND}\n`);
    for (const scenario of scenarios) {
      const traces = await scenario.play((options) => shops.open(options));
      const broken = brokenExpectations(scenario, traces);
      console.log(report(scenario, traces, broken, paint).join('\n'));
      if (broken.length > 0) {
        failed.push(scenario.name);
      }
    }
  } finally {
    await shops.close();
  }
  if (failed.length > 0) {
    console.log(`Did not do what the name says: ${failed.join(', ')}.`);
  }
  return failed.length === 0 ? 0 : 1;
}

function brokenExpectations(scenario: Scenario, traces: Trace[]): string[] {
  const expectations = Object.entries(scenario.expectations(...traces));
  return expectations.filter(([, holds]) => !holds).map(([expectation]) => expectation);
}
