import { expect, test } from 'vitest';
import { sourceFiles } from './source-files.ts';

const services = sourceFiles().filter(({ path }) => /^services\/[^/]+\/src\//.test(path));
const isRegistry = (path: string): boolean => path.endsWith('/src/registry.ts');

/**
 * Paths of files that register a gRPC service which the contract gives to one service, not to the platform.
 */
const registering = services
  .filter(({ text }) =>
    [...text.matchAll(/\.add\(\s*(\w+)\.\w+Service\b/g)].some(
      ([, namespace]) =>
        !new RegExp(`import \\* as ${namespace} from '@claviger/contracts/cluster/`).test(text),
    ),
  )
  .map(({ path }) => path);

test('only the generated registries register handlers', () => {
  expect(registering.filter(isRegistry), 'the scan finds what it looks for').toHaveLength(4);
  expect(
    registering.filter((path) => !isRegistry(path)),
    'Name the handler and its file for its RPC and run `pnpm generate`.',
  ).toEqual([]);
});
