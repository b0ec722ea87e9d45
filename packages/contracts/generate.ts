/**
 * Generates src/generated from proto/: messages with their codecs, a definition of each gRPC service, the
 * list of all services, and the descriptor set that `methods` reads at run time. Also generates the
 * registry.ts of each service. `--check` changes nothing and fails when a committed file is out of date.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describeContract, type ProtoFile } from './generate/descriptor-set.ts';
import { registries } from './generate/registries.ts';
import { serviceDefinitions, serviceList } from './generate/service-definitions.ts';

const root = resolve(import.meta.dirname, '../..');
const committed = join(import.meta.dirname, 'src/generated');
const scratch = mkdtempSync(join(tmpdir(), 'contracts-'));
// The output path in buf.gen.yaml is relative to proto/.
const made = join(scratch, 'packages/contracts/src/generated');
const buf = (...args: string[]) =>
  execFileSync(join(root, 'node_modules/.bin/buf'), args, { cwd: join(root, 'proto'), stdio: 'inherit' });

/** Appends the service definitions to the generated file of a proto file. */
function addServices(file: ProtoFile, codeFiles: ReadonlyMap<string, ProtoFile>): void {
  const code = serviceDefinitions(file, codeFiles);
  if (code) writeFileSync(join(made, file.code), readFileSync(join(made, file.code), 'utf8') + code);
}

try {
  buf('lint');
  buf('generate', '--output', join(scratch, 'proto'));
  buf('build', '-o', join(scratch, 'image.binpb'));
  const contract = describeContract(readFileSync(join(scratch, 'image.binpb')));
  writeFileSync(join(made, 'contract.binpb'), contract.bytes);
  for (const file of contract.files) addServices(file, contract.fileOfMessage);
  writeFileSync(join(made, 'services.ts'), serviceList(contract.files));
  // They describe descriptors; nothing imports them.
  for (const file of ['google/protobuf/descriptor.ts', 'google/api/annotations.ts']) rmSync(join(made, file));
  const registers = registries(contract.files, root);
  for (const problem of registers.flatMap(({ problems }) => problems)) console.error(problem);
  if (process.argv.includes('--check')) {
    for (const { path, text, problems } of registers) {
      const isCurrent = existsSync(join(root, path)) && readFileSync(join(root, path), 'utf8') === text;
      if (!isCurrent) console.error(`${path} is out of date: run \`pnpm generate\` and commit.`);
      if (!isCurrent || problems.length > 0) process.exitCode = 1;
    }
    try {
      execFileSync('diff', ['-r', '-q', committed, made], { stdio: 'inherit' });
    } catch {
      console.error('packages/contracts/src/generated is out of date: run `pnpm generate` and commit.');
      process.exitCode = 1;
    }
  } else {
    const stale = globSync('**/*.{ts,binpb}', { cwd: committed }).filter(
      (file) => !globSync(file, { cwd: made }).length,
    );
    for (const file of stale) rmSync(join(committed, file));
    cpSync(made, committed, { recursive: true });
    for (const { path, text } of registers) writeFileSync(join(root, path), text);
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
