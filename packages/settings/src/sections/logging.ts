import { z } from 'zod';
import { defineSection, setting } from '../section.ts';

/** What the services write to their logs. */
export const logging = defineSection('logging', {
  services: ['auth', 'vault', 'workflow', 'audit', 'gateway'],
  keys: {
    level: setting({
      scope: 'platform',
      schema: z.enum(['configured', 'debug', 'info', 'warn', 'error']),
      default: 'configured',
      description:
        'Least weight of what is logged by all services; `configured` is what each one’s file says.',
    }),
  },
});
