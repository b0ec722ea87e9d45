import { z } from 'zod';
import { defineSection, setting } from '../section.ts';

/** Sign-in and limits of access. */
export const access = defineSection('access', {
  services: ['auth', 'workflow', 'vault'],
  keys: {
    secondFactorMandatory: setting({
      scope: 'tenant',
      schema: z.boolean(),
      default: false,
      description:
        'People must use a second factor. A person without one can only set one up; sessions without one are not renewed.',
    }),
    maximumGrantMinutes: setting({
      scope: 'tenant',
      schema: z.int().min(5).max(10_080),
      default: 10_080,
      unit: 'minutes',
      description: 'The longest access that can be requested or approved.',
    }),
  },
});
