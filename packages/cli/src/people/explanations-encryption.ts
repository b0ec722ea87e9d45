import type { Explanation } from './explanation.ts';

/** Of the key hierarchy. */
export const encryptionExplanations: Readonly<Record<string, Explanation>> = {
  key_job_in_progress: {
    meaning: 'The keys of the tenant are just being exchanged or checked; one such job runs at a time.',
    next: 'Follow it with `claviger keys jobs`, and ask again when it is done.',
  },
};
