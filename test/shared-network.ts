import { accessOf, type NetworkAccess, startNetwork } from '@claviger/testkit';
import type { TestProject } from 'vitest/node';
import './port-range.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    network: NetworkAccess;
  }
}

/** Starts the installation that the network tests share, with two gateways and two replicas of workflow. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const started = await startNetwork({
    replicas: { gateway: 2, workflow: 2 },
    // No process is paused for a minute here, so a former key may be retired at once.
    overrides: { vault: { encryption: { kekGraceSeconds: 0.2 } } },
  });
  project.provide('network', accessOf(started.installation));
  return async () => {
    await started[Symbol.asyncDispose]();
  };
}
