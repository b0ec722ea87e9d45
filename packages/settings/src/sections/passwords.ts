import { z } from 'zod';
import { defineSection, setting } from '../section.ts';

/** How much of the machine the checking of passwords may take. */
export const passwords = defineSection('passwords', {
  services: ['auth'],
  keys: {
    hashConcurrency: setting({
      scope: 'platform',
      schema: z.int().min(0).max(64),
      default: 0,
      restart: ['auth'],
      unit: 'passwords',
      description:
        'Passwords that one replica of auth hashes at once; 0 is what its configuration file says.',
    }),
  },
});
