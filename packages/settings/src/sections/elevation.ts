import { z } from 'zod';
import { defineSection, setting } from '../section.ts';

/** Just-in-time elevation on devices. */
export const elevation = defineSection('elevation', {
  services: ['workflow'],
  keys: {
    actuatorEnabled: setting({
      scope: 'tenant',
      schema: z.boolean(),
      default: true,
      description: 'Whether devices are told to carry out approved elevations.',
    }),
    defaultApprovalMinutes: setting({
      scope: 'tenant',
      schema: z.int().min(1).max(1_440),
      default: 15,
      unit: 'minutes',
      description: 'How long an elevation is in force where neither the rule nor the approver says so.',
    }),
    evaluationRetentionDays: setting({
      scope: 'tenant',
      // A replay reaches back for ninety days.
      schema: z.int().min(91).max(3_660),
      default: 400,
      unit: 'days',
      description: 'How long a decision can be explained: what it depended on is erased afterwards.',
    }),
    pendingMinutes: setting({
      scope: 'tenant',
      schema: z.int().min(1).max(43_200),
      default: 1_440,
      unit: 'minutes',
      description: 'How long a request waits for a person before it expires.',
    }),
  },
});
