import type { Explanation } from './explanation.ts';

/** Of the assistant. */
export const assistantExplanations: Readonly<Record<string, Explanation>> = {
  assistant_disabled: {
    meaning: 'The administrators of the tenant have switched the assistant off.',
    next: 'An administrator switches it on: `claviger config set assistant.enabled=true`.',
  },
};
