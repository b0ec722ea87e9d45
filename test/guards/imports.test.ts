import { builtinModules } from 'node:module';
import { join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { importsOf, manifests, sourceFiles } from './source-files.ts';

const files = sourceFiles();
const packages = manifests();
const folderOf = new Map([...packages].map(([folder, { name }]) => [name, folder]));
const imports = files.flatMap((file) =>
  importsOf(file).map((each) => ({
    file,
    ...each,
    at: `${file.path}:${each.line} imports ${each.specifier}`,
  })),
);
const nameOf = (specifier: string) =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
const bare = imports.filter(({ specifier }) => !specifier.startsWith('.') && !specifier.startsWith('node:'));

/** Asserts that nothing was found; the message says what to do. */
function none(found: readonly string[], fix: string): void {
  expect(found, found.length > 0 ? `${fix}\n${found.join('\n')}` : '').toEqual([]);
}

test('the scan sees the source at all', () => {
  expect(files.length).toBeGreaterThan(200);
  expect(imports.length).toBeGreaterThan(1_000);
});

test('no file imports a service: its contract is the only way to use it', () => {
  const wrong = bare.filter(({ file, specifier }) => {
    const folder = folderOf.get(nameOf(specifier));
    return folder?.startsWith('services/') && folder !== file.owner;
  });
  none(
    wrong.map(({ at }) => at),
    'Call it through @claviger/contracts and createPeers; what two services share becomes a package.',
  );
});

test('relative imports stay inside their package', () => {
  const wrong = imports.filter(({ file, specifier }) => {
    // Only guards may read the sources of services.
    if (!specifier.startsWith('.') || file.path.startsWith('test/guards/')) return false;
    const target = normalize(join(file.path, '..', specifier));
    return !target.startsWith(`${file.owner}/`);
  });
  none(
    wrong.map(({ at }) => at),
    'Import the package by its name.',
  );
});

test('packages are imported by their exports', () => {
  const wrong = bare.filter(({ specifier }) => {
    const exported = packages.get(folderOf.get(nameOf(specifier)) ?? '')?.exported;
    if (!exported) return false;
    const path = `.${specifier.slice(nameOf(specifier).length)}`;
    return !exported.some(
      (each) => path === each || (each.endsWith('*') && path.startsWith(each.slice(0, -1))),
    );
  });
  none(
    wrong.map(({ at }) => at),
    'Import the package by its root, or by a sub-path that "exports" of its package.json names.',
  );
});

test('the packages of errors and of the evaluator load neither gRPC nor a contract of a service', () => {
  const loaded = (owner: string) =>
    bare
      .filter(({ file, type }) => file.owner === owner && !file.forTests && !type)
      .map(({ specifier }) => specifier);
  expect([...new Set(loaded('packages/evaluator'))].filter((name) => /contracts|grpc/.test(name))).toEqual(
    [],
  );
  const ofErrors = imports.filter(
    ({ file, type }) =>
      file.owner === 'packages/errors' && !file.forTests && !type && !file.path.endsWith('grpc-wire.ts'),
  );
  expect(ofErrors.filter(({ specifier }) => !specifier.startsWith('.')).map(({ at }) => at)).toEqual([]);
  expect(ofErrors.filter(({ specifier }) => specifier.includes('grpc-wire')).map(({ at }) => at)).toEqual([]);
});

test('generated code is imported inside packages/contracts only', () => {
  const wrong = imports.filter(
    ({ file, specifier }) => specifier.includes('/generated/') && file.owner !== 'packages/contracts',
  );
  none(
    wrong.map(({ at }) => at),
    'Import it from @claviger/contracts.',
  );
});

test('whatever is imported is declared in the package.json of the importer', () => {
  const wrong = bare.filter(({ file, specifier }) => {
    const manifest = packages.get(file.owner)!;
    const name = nameOf(specifier);
    if (builtinModules.includes(specifier)) return true;
    if (name === manifest.name || name in manifest.dependencies) return false;
    // The vitest of the root runs the tests.
    return !(file.forTests && (name in manifest.devDependencies || name === 'vitest'));
  });
  none(
    [...new Set(wrong.map(({ at }) => at))],
    'Add it to dependencies ("catalog:" or "workspace:*"), or to devDependencies when only tests use it; node modules are written node:….',
  );
});

test('dependencies inside the repository are used', () => {
  const unused = [...packages].flatMap(([folder, { dependencies }]) =>
    // Everything in test/ is for tests.
    (folder === 'test' ? [] : Object.keys(dependencies))
      .filter((name) => name.startsWith('@claviger/'))
      .filter(
        (name) =>
          !bare.some(
            ({ file, specifier }) => file.owner === folder && nameOf(specifier) === name && !file.forTests,
          ),
      )
      .map((name) => `${folder}/package.json: ${name}`),
  );
  none(unused, 'Remove it, or move it to devDependencies when only tests use it.');
});

test('what is made for tests and for the operator does not reach a service', () => {
  const notInServices = new Set(
    ['testkit', 'targets', 'installation', 'backing-servers', 'identity', 'cli'].map(
      (name) => `@claviger/${name}`,
    ),
  );
  const wrong = bare.filter(
    ({ file, specifier }) =>
      file.owner.startsWith('services/') && !file.forTests && notInServices.has(nameOf(specifier)),
  );
  none(
    wrong.map(({ at }) => at),
    'A service gets addresses, keys and certificates by its configuration.',
  );
});

test('every version stands in the catalog', () => {
  const wrong = [...packages].flatMap(([folder, { dependencies, devDependencies }]) =>
    Object.entries({ ...dependencies, ...devDependencies })
      .filter(([, version]) => version !== 'catalog:' && version !== 'workspace:*')
      .map(([name, version]) => `${folder}/package.json: ${name} ${version}`),
  );
  none(wrong, 'Put the version into the catalog of pnpm-workspace.yaml and write "catalog:".');
});

test('packages do not depend on each other in a circle', () => {
  const circles: string[] = [];
  const visit = (folder: string, path: readonly string[]): void => {
    if (path.includes(folder))
      return void circles.push([...path.slice(path.indexOf(folder)), folder].join(' → '));
    for (const name of Object.keys(packages.get(folder)!.dependencies)) {
      const next = folderOf.get(name);
      if (next) visit(next, [...path, folder]);
    }
  };
  for (const folder of packages.keys()) visit(folder, []);
  none([...new Set(circles)], 'Move what both need into the lower of the two.');
});
