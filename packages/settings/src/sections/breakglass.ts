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
        'What emergency access requires besides the second factor: another person, a printed offline code, or either.',
    }),
    maximumMinutes: setting({
      scope: 'tenant',
      schema: z.int().min(5).max(1_440),
      default: 60,
      unit: 'minutes',
      description: 'The longest duration of emergency access.',
    }),
  },
});
