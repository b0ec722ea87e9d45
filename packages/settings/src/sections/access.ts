import { z } from 'zod';
import { defineSection, setting } from '../section.ts';

/** Who gets in, for how long, and how much they may see. */
export const access = defineSection('access', {
  services: ['auth', 'workflow', 'vault'],
  keys: {
    secondFactorMandatory: setting({
      scope: 'tenant',
      schema: z.boolean(),
      default: false,
      description:
        'People must prove a second factor. Who has none yet may only set one up; sessions without one are not renewed.',
    }),
    maximumGrantMinutes: setting({
      scope: 'tenant',
      schema: z.int().min(5).max(10_080),
      default: 10_080,
      unit: 'minutes',
      description: 'The longest access that may be asked for or approved.',
    }),
  },
});
