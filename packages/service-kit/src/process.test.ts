import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'claviger-process-'));
afterAll(() => rmSync(folder, { recursive: true }));
const USES: Record<string, string> = {
  logger: 'createLogger',
  failpoints: 'ailpoint',
  lifecycle: 'runService',
};
let count = 0;

/** Runs a program in its own process; `kit` contains the modules that it uses. */
function run(
  source: string,
  options: { env?: Record<string, string>; args?: string[]; stopOn?: string } = {},
) {
  count += 1;
  const file = join(folder, `${count}.ts`);
  const modules = ['logger', 'failpoints', 'lifecycle'].filter((name) => source.includes(USES[name]!));
  const imports = modules.map(
    (name) => `...(await import(${JSON.stringify(join(import.meta.dirname, `${name}.ts`))}))`,
  );
  writeFileSync(file, `const kit = { ${imports.join(', ')} };\n${source}\n`);
  const child = spawn(process.execPath, [file, ...(options.args ?? [])], {
    env: { ...process.env, ...options.env },
  });
  let output = '';
  let signalled = false;
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (!options.stopOn || signalled || !output.includes(options.stopOn)) return;
      signalled = true;
      child.kill('SIGTERM');
    });
  return new Promise<{ code: number | null; signal: string | null; output: string }>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, output }));
  });
}

test('errors are logged without properties added by libraries, and database errors by their code only', async () => {
  const { output } = await run(`
    const logger = kit.createLogger({ service: 'vault', node: 'vault-1', level: 'info' });
    const plain = Object.assign(new Error('said', { cause: Object.assign(new Error('deeper'), { query: 'canary-1' }) }), { parameters: ['canary-2'], config: { password: 'canary-3' } });
    const database = Object.assign(new Error('value canary-4 already exists'), { severity: 'ERROR', code: '23505', detail: 'Key (x)=(canary-5)', where: 'canary-6' });
    database.stack = 'error: value canary-4';
    logger.error({ err: plain, requestId: 'r' }, 'first');
    logger.error({ err: new Error('outer', { cause: database }) }, 'second');
    logger.error(database);
    logger.error({ err: database });
    logger.error({ error: plain }, 'third');
    logger.error({ err: { password: 'canary-7' } }, 'fourth');`);
  expect(output).not.toContain('canary');
  expect(output).toContain('"message":"deeper"');
  expect(output).toContain('database error 23505');
  for (const line of output.trim().split('\n'))
    expect(JSON.parse(line)).toMatchObject({ service: 'vault', node: 'vault-1' });
});

test('failpoints act from their configured pass on', async () => {
  const source = `for (let n = 1; n <= 3; n += 1) { try { await kit.failpoint('a.b'); await kit.failpoint('other'); console.log('pass', n); } catch (error) { console.log(error.message); } }`;
  expect((await run(source)).output).toBe('pass 1\npass 2\npass 3\n');
  expect((await run(source, { env: { FAILPOINTS: 'a.b=error@2' } })).output).toBe(
    'pass 1\nfailpoint a.b\nfailpoint a.b\n',
  );
  expect(await run(source, { env: { FAILPOINTS: 'x=error,a.b=crash@3' } })).toMatchObject({
    signal: 'SIGKILL',
    output: 'pass 1\npass 2\n',
  });
  for (const wrong of ['a.b', 'a.b=explode', 'a.b=crash@0', 'a.b=crash@x'])
    expect((await run(source, { env: { FAILPOINTS: wrong } })).output).toContain('is not of the form');
});

test('failpoints of a file can be armed and disarmed while the process runs', async () => {
  const file = join(folder, 'failpoints');
  const source = `const { writeFileSync, rmSync } = await import('node:fs');
    const pass = async () => console.log(await kit.failpoint('a.b').then(() => 'passed', (error) => error.message));
    const arm = (text) => writeFileSync(process.env.FAILPOINTS_FILE, text);
    await pass(); arm('a.b=error@2'); await pass(); await pass(); arm('a.b=explode'); await pass();
    rmSync(process.env.FAILPOINTS_FILE); await pass();`;
  const { output } = await run(source, { env: { FAILPOINTS_FILE: file } });
  expect(output.split('\n')).toEqual([
    'passed',
    'passed',
    'failpoint a.b',
    expect.stringContaining('is not of the form'),
    'passed',
    '',
  ]);
});

test('a production configuration refuses failpoints', async () => {
  const source = `kit.refuseFailpointsInProduction('test'); kit.refuseFailpointsInProduction('production'); console.log('started');`;
  expect((await run(source)).output).toBe('started\n');
  for (const [name, value] of [
    ['FAILPOINTS', 'a=error'],
    ['FAILPOINTS_FILE', join(folder, 'none')],
  ] as const)
    expect((await run(source, { env: { [name]: value } })).output).toContain('Unset it');
});

const program = (create: string) => `
  const { z } = await import(${JSON.stringify(join(import.meta.dirname, '../node_modules/zod/index.js'))});
  await kit.runService({ name: 'x', schema: z.strictObject({ a: z.string() }), migrate: async () => console.log('migrated'), create: async () => { ${create} } });`;

function config(content: object): string {
  count += 1;
  const file = join(folder, `config-${count}.json`);
  writeFileSync(file, JSON.stringify(content));
  return file;
}

test('SIGTERM ends a service in order, even if a handle keeps the process alive', async () => {
  const source = program(
    `console.log('ready'); setInterval(() => {}, 1000); return { [Symbol.asyncDispose]: async () => console.log('drained') };`,
  );
  const ended = await run(source, { args: ['--config', config({ a: 'x' })], stopOn: 'ready' });
  expect(ended).toMatchObject({ code: 0, output: 'ready\ndrained\n' });
});

test('a failed start ends the process with the reason', async () => {
  const source = program(`setInterval(() => {}, 1000); throw new Error('the port is taken');`);
  const failed = await run(source, { args: ['--config', config({ a: 'x' })] });
  expect(failed).toMatchObject({ code: 1, output: expect.stringContaining('the port is taken') });
  expect(await run(source, { args: ['--config', config({ b: 'x' })] })).toMatchObject({
    code: 1,
    output: expect.stringContaining('a:'),
  });
  expect(await run(source)).toMatchObject({ code: 1, output: expect.stringContaining('--config FILE') });
});

test('migrate migrates and ends', async () => {
  const ended = await run(program('throw new Error("started");'), {
    args: ['migrate', '--config', config({ a: 'x' })],
  });
  expect(ended).toMatchObject({ code: 0, output: 'migrated\n' });
});
