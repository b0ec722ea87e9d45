import { defineConfig } from 'vitest/config';
import LongestFirst from './test/support/longest-first.ts';

/** Wherever they lie, they belong to the project `extended`. */
const extendedTests = ['**/*.extended.test.ts', '**/node_modules/**'];

/** They run with small numbers in a plain run, and with large ones where `EXTENDED_TESTS` is set. */
const largerWhenExtended = ['services/vault/src/rights/who-learns-what.test.ts'];

/** They change global state of their process, such as the registered trace provider, or measure its memory. */
const isolatedTests = [
  'packages/{service-kit,testkit}/src/**/*.test.ts',
  'services/audit/src/compliance/compliance.test.ts',
];

/**
 * `unit`: beside the sources, with the servers they need. `unit-isolated`: the same, each file in a process of
 * its own. `network`: against one running installation that all files share, each in tenants of its own.
 * `faults`: each file breaks an installation of its own. `extended`: long outages, large sizes, and tools from
 * package registries; not part of a plain run. An extended test has an installation of its own. The files of
 * `unit` and `network` share a few processes: loading everything anew for each takes half a second and more.
 */
export default defineConfig({
  test: {
    // More than a machine of two cores has: many tests wait for a server, a lease or a time-out.
    maxWorkers: 4,
    setupFiles: ['test/cpu-time.ts', 'test/port-range.ts'],
    reporters: ['default', './test/support/slowest-tests.ts'],
    // Concurrent tests mostly wait for events.
    maxConcurrency: 20,
    sequence: { sequencer: LongestFirst },
    // All of them only for what hangs: a machine that is busy with other tests takes its time, and is no
    // defect.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 90_000, interval: 50 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: [
            'packages/*/{src,generate}/**/*.test.ts',
            'services/*/src/**/*.test.ts',
            'test/{guards,support}/**/*.test.ts',
          ],
          exclude: [...extendedTests, ...isolatedTests],
          globalSetup: ['test/shared-postgres.ts'],
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'unit-isolated',
          include: isolatedTests,
          exclude: extendedTests,
          globalSetup: ['test/shared-postgres.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'network',
          include: ['test/{conformance,e2e,hostile}/**/*.test.ts'],
          exclude: extendedTests,
          globalSetup: ['test/shared-network.ts'],
          isolate: false,
        },
      },
      {
        extends: true,
        test: { name: 'faults', include: ['test/faults/**/*.test.ts'], exclude: extendedTests },
      },
      {
        extends: true,
        // Tools are fetched, code is compiled, and outages last for minutes.
        test: {
          name: 'extended',
          include: [
            'test/extended/**/*.test.ts',
            '{packages,services,test}/**/*.extended.test.ts',
            ...largerWhenExtended,
          ],
          env: { EXTENDED_TESTS: '1' },
          testTimeout: 900_000,
          hookTimeout: 900_000,
        },
      },
    ],
  },
});
