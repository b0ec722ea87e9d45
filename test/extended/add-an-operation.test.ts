import {
  cpSync,
  globSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { repositoryFiles, root } from '../guards/source-files.ts';
import { run } from './tools.ts';

const page = readFileSync(join(root, 'docs/add-an-operation.md'), 'utf8');

/** The only code block of the page that contains `marker`. */
function block(language: string, marker: string): string {
  const blocks = [...page.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, 'g'))].map(
    ([, text]) => text!,
  );
  const [found, ...more] = blocks.filter((text) => text.includes(marker));
  if (found === undefined || more.length > 0)
    throw new Error(`docs/add-an-operation.md must hold one ${language} block with: ${marker}`);
  return found;
}

let copy: string;
const at = (path: string): string => join(copy, path);
/** Inserts text after the first occurrence of `marker` in a file of the copy. */
function insert(path: string, marker: string, text: string): void {
  const before = readFileSync(at(path), 'utf8');
  expect(before).toContain(marker);
  writeFileSync(
    at(path),
    before.replace(marker, () => `${marker}\n${text}`),
  );
}
/** Runs a program of the workspace in the copy; returns its output. */
const inCopy = (program: string, ...args: string[]): Promise<string> =>
  run(program, args, { cwd: copy, env: { PATH: process.env.PATH, HOME: copy } });
const bin = (name: string): string => join(root, 'node_modules/.bin', name);

beforeAll(async () => {
  copy = mkdtempSync(join(tmpdir(), 'claviger-copy-'));
  for (const path of repositoryFiles()) cpSync(join(root, path), at(path));
  // Links to workspace packages are relative and lead to the copy. Other packages are shared.
  symlinkSync(join(root, 'node_modules'), at('node_modules'));
  for (const folder of globSync('{packages,services}/*/node_modules', { cwd: root }))
    cpSync(join(root, folder), at(folder), { recursive: true, verbatimSymlinks: true });
  for (const name of readdirSync(join(root, 'test')).filter((each) => each === 'node_modules'))
    cpSync(join(root, 'test', name), at(`test/${name}`), { recursive: true, verbatimSymlinks: true });
  await inCopy('git', 'init', '--quiet');
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

test('the steps of the page on adding an operation work', async () => {
  const generate = () => inCopy(process.execPath, 'packages/contracts/generate.ts');
  const proto = 'proto/claviger/workflow/v1/workflow.proto';
  insert(proto, 'service RequestsService {', block('proto', 'rpc AddRequestNote'));
  writeFileSync(at(proto), readFileSync(at(proto), 'utf8') + block('proto', 'message AddRequestNoteRequest'));
  await generate();
  await expect(inCopy(bin('tsc'), '--noEmit')).rejects.toThrow(
    /services\/workflow\/src\/registry\.ts.*Cannot find name 'addRequestNote'/,
  );

  writeFileSync(
    at('services/workflow/src/migrations/0099-request-notes.sql'),
    block('sql', 'CREATE TABLE request_notes'),
  );
  const schema = 'services/workflow/src/schema.ts';
  writeFileSync(at(schema), readFileSync(at(schema), 'utf8') + block('ts', 'interface RequestNotesTable'));
  insert(schema, '  access_policies: AccessPoliciesTable;', '  request_notes: RequestNotesTable;');

  const handler = 'services/workflow/src/requests/add-request-note';
  writeFileSync(at(`${handler}.ts`), block('ts', 'export function addRequestNote('));
  writeFileSync(at(`${handler}.test.ts`), block('ts', 'service.handlers.addRequestNote('));
  await generate();
  await inCopy(bin('biome'), 'check', '--write', '.');
  await inCopy(bin('tsc'), '--noEmit');
  await inCopy(bin('vitest'), 'run', handler);
  await inCopy(bin('vitest'), 'run', '--project', 'unit', 'test/guards', 'packages/contracts');

  const paths = await run(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      "const { methodOf } = await import('@claviger/contracts'); console.log(JSON.stringify(methodOf('/claviger.workflow.v1.RequestsService/AddRequestNote').http));",
    ],
    { cwd: at('services/workflow') },
  );
  // The generated tests of the REST API derive their call from the declaration.
  const sample = await run(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      "const { samples } = await import('./conformance/samples.ts'); console.log(JSON.stringify(await samples.AddRequestNote({ createRequest: () => 'made', requester: {} })));",
    ],
    { cwd: at('test') },
  );
  expect(JSON.parse(sample)).toEqual({ params: { request_id: 'made' }, body: { text: 'conformance' } });
  expect(paths).toContain('/api/v1/requests/{request_id}/notes');
  const help = await inCopy(
    process.execPath,
    'packages/cli/src/main.ts',
    'requests',
    'add-request-note',
    '--help',
  );
  expect(help).toContain('--text');
});
