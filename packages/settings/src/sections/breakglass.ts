import { z } from 'zod';
import { defineSection, setting } from '../section.ts';

/** Emergency access. */
export const breakglass = defineSection('breakglass', {
  services: ['auth', 'workflow', 'vault'],
  keys: {
    mode: setting({
      scope: 'tenant',
      schema: z.enum(['second-person', 'sealed-code', 'either']),
      default: 'either',
      description:
        'What opens it besides the person and their second factor: another person, a sealed code from an envelope, or either.',
    }),
    maximumMinutes: setting({
      scope: 'tenant',
      schema: z.int().min(5).max(1_440),
      default: 60,
      unit: 'minutes',
      description: 'The longest that emergency access stays open.',
    }),
  },
});
