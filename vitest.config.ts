import { defineConfig } from 'vitest/config';

/**
 * `unit`: beside the sources, each file with the parts it needs. `network`: against one running installation that all
 * files share, each in tenants of its own. `faults`: each file breaks an installation of its own. `extended`: with tools from
 * package registries; not part of a plain run.
 */
export default defineConfig({
  test: {
    // More than two cores have: many tests wait for a server, a lease or a time-out, and two of them leave half of two cores idle.
    maxWorkers: 3,
    setupFiles: ['test/port-range.ts'],
    // Concurrent tests mostly wait for events.
    maxConcurrency: 20,
    // All of them only for what hangs: a machine that is busy with other tests takes its time, and is no defect.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 90_000, interval: 50 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: [
            'packages/*/src/**/*.test.ts',
            'services/*/src/**/*.test.ts',
            'test/{guards,support}/**/*.test.ts',
          ],
        },
      },
      {
        extends: true,
        test: {
          name: 'network',
          include: ['test/{conformance,e2e,hostile}/**/*.test.ts'],
          globalSetup: ['test/shared-network.ts'],
        },
      },
      {
        extends: true,
        test: { name: 'faults', include: ['test/faults/**/*.test.ts'] },
      },
      {
        extends: true,
        // Tools are fetched and code is compiled.
        test: {
          name: 'extended',
          include: ['test/extended/**/*.test.ts'],
          testTimeout: 900_000,
          hookTimeout: 900_000,
        },
      },
    ],
  },
});
