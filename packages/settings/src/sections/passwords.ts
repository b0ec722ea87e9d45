import { z } from 'zod';
import { defineSection, setting } from '../section.ts';

/** Resources for hashing passwords. */
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
        'Passwords that one replica of auth hashes concurrently; 0 uses the value in its configuration file.',
    }),
  },
});
