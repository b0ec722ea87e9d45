import type { StartOptions } from '@claviger/installation';

/**
 * Three replicas of vault and workflow. Leases and pauses are shorter than by default, except workflow's
 * lease.
 */
export const replicas: Partial<StartOptions> = {
  replicas: { vault: 3, workflow: 3 },
  overrides: {
    vault: {
      cluster: { leaseMs: 900 },
      encryption: { kekGraceSeconds: 0.2 },
      rotation: {
        leaseSeconds: 2,
        settleSeconds: 1,
        backoffSeconds: 1,
        sweepIntervalSeconds: 0.1,
        probesPerWindow: 10,
      },
    },
  },
};
