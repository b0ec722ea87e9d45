import { z } from 'zod';
import { defineSection, setting } from '../section.ts';

const perUser = (maximum: number) => z.int().min(1).max(maximum);

/** How often one caller may ask. */
export const limits = defineSection('limits', {
  services: ['gateway'],
  keys: {
    standardPerMinute: setting({
      scope: 'platform',
      schema: perUser(100_000),
      default: 100,
      unit: 'requests a minute',
      description: 'Ordinary operations of one user.',
    }),
    authPerMinute: setting({
      scope: 'platform',
      schema: perUser(1_000),
      default: 10,
      unit: 'requests a minute',
      description: 'Sign-in and second factor, of one user, name or address.',
    }),
    reportsPerHour: setting({
      scope: 'platform',
      schema: perUser(1_000),
      default: 5,
      unit: 'requests an hour',
      description: 'Reports and exports of one user.',
    }),
  },
});
