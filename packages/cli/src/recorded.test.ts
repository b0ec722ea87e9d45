import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exitCodeOf } from '@claviger/terminal/exit-codes';
import { type Command, CommanderError } from 'commander';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { type RecordedServer, SAMPLE_ID, startRecordedServer } from '../recorded/server.ts';
import { createProgram } from './program.ts';

let folder: string;
let server: RecordedServer;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'claviger-recorded-'));
  server = await startRecordedServer(folder);
  vi.stubEnv('CLAVIGER_ADDR', server.url);
  vi.stubEnv('CLAVIGER_CA', server.caFile);
  vi.stubEnv('CLAVIGER_TOKEN', 'token');
  vi.stubEnv('XDG_CONFIG_HOME', folder);
  const file = (name: string, content: unknown) =>
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  file('password', 'a password of sample\n');
  file('object.json', { key: 'value' });
  file('policy.json', { steps: [], maxDurationMinutes: 60, oneTime: true });
  file('config.json', { access: { maximumGrantMinutes: 30 } });
  file('rule.json', { name: 'r', verdict: 'auto_approve', matchSigner: 'M' });
  file('change.json', { priority: 3, matchSigner: null });
  file('drafts.json', { rules: [{ name: 'r', verdict: 'auto_deny' }], wholeSet: true });
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
  vi.unstubAllEnvs();
});

let out: string[];
beforeEach(() => {
  out = [];
  const keep = (mark: string) => (text: string | Uint8Array) => {
    out.push(
      ...Buffer.from(text)
        .toString()
        .replace(/\n$/, '')
        .split('\n')
        .map((line) => `${mark} ${line}`),
    );
    return true;
  };
  vi.spyOn(process.stdout, 'write').mockImplementation(keep('>') as typeof process.stdout.write);
  vi.spyOn(process.stderr, 'write').mockImplementation(keep('!') as typeof process.stderr.write);
  return () => vi.restoreAllMocks();
});

const words = (line: string): string[] =>
  [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, bare]) => double ?? single ?? bare!,
  );

/** Runs a command line and answers what it asked the server, printed, and ended with. */
async function record(line: string): Promise<string> {
  out = [];
  server.requests.length = 0;
  const args = words(line.replaceAll('{dir}', folder).replaceAll('{id}', SAMPLE_ID));
  process.exitCode = undefined;
  let code: unknown;
  try {
    const program = await createProgram(args);
    await program.parseAsync(args, { from: 'user' });
    code = process.exitCode ?? 0;
  } catch (error) {
    if (error instanceof CommanderError) code = error.exitCode === 0 ? 0 : 2;
    else {
      const { exitCode, reason, message } = error as { exitCode?: number; reason?: never; message: string };
      out.push(...message.split('\n').map((text) => `! ${text}`));
      code = exitCode ?? (reason === undefined ? 1 : exitCodeOf(reason));
      if (process.env.CLAVIGER_DEBUG) out.push(String((error as Error).stack));
    }
  }
  process.exitCode = undefined;
  return [`$ claviger ${line}`, ...server.requests, ...out, `= ${code}`]
    .join('\n')
    .replaceAll(folder, '{dir}')
    .replaceAll(server.url, '{server}')
    .replaceAll(SAMPLE_ID, '{id}');
}

const lines = readFileSync(join(import.meta.dirname, '../recorded/commands.txt'), 'utf8')
  .trimEnd()
  .split('\n');

test.for([
  ['full', 'table', (line: string) => line],
  ['full', 'json', (line: string) => `${line} -o json`],
  ['bare', 'table', (line: string) => line.replaceAll(/(?<= )sample(?= |$)/g, '{id}')],
] as const)('commands print a %s answer as %s', async ([fullness, format, lineOf]) => {
  server.fullness = fullness;
  const records: string[] = [];
  for (const line of lines) {
    for (const name of readdirSync(folder))
      if (/^(secret|receipt|token|new|head|keys|export|package|attestation)(-|$|\.)/.test(name))
        rmSync(join(folder, name));
    records.push(await record(lineOf(line)));
  }
  await expect(`${records.join('\n\n')}\n`).toMatchFileSnapshot(`../recorded/${fullness}-${format}.txt`);
});

/** Each command with its words, options and choices, one a line. */
function usage(command: Command, path: string): string[] {
  return command.commands.flatMap((each) => {
    const name = `${path} ${each.name()}`.trim();
    const words = each.registeredArguments.map((word) => {
      const label = `${word.name()}${word.variadic ? '...' : ''}`;
      return word.required ? `<${label}>` : `[${label}]`;
    });
    const options = each.options
      .filter(({ hidden }) => !hidden)
      .map(({ flags, mandatory, argChoices }) => {
        const choices = argChoices === undefined ? '' : ` {${argChoices.join('|')}}`;
        return `  ${flags}${choices}${mandatory ? ' (mandatory)' : ''}`;
      });
    return [[name, ...words].join(' '), ...options, ...usage(each, name)];
  });
}

test('commands keep their names, words and options', async () => {
  const all = usage(await createProgram(['all commands']), '');
  await expect(`${all.join('\n')}\n`).toMatchFileSnapshot('../recorded/usage.txt');
});
