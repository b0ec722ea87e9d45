import { z } from 'zod';
import { defineSection, setting } from '../section.ts';

/** Logging of the services. */
export const logging = defineSection('logging', {
  services: ['auth', 'vault', 'workflow', 'audit', 'gateway'],
  keys: {
    level: setting({
      scope: 'platform',
      schema: z.enum(['configured', 'debug', 'info', 'warn', 'error']),
      default: 'configured',
      description:
        'Lowest level that all services log; `configured` uses the level in each configuration file.',
    }),
  },
});
