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
      description: 'Whether devices receive commands for approved elevations.',
    }),
    defaultApprovalMinutes: setting({
      scope: 'tenant',
      schema: z.int().min(1).max(1_440),
      default: 15,
      unit: 'minutes',
      description: 'Duration of an elevation if neither the rule nor the approver sets one.',
    }),
    evaluationRetentionDays: setting({
      scope: 'tenant',
      // A replay covers the last ninety days.
      schema: z.int().min(91).max(3_660),
      default: 400,
      unit: 'days',
      description: 'How long a decision can be explained; its inputs are deleted afterwards.',
    }),
    pendingMinutes: setting({
      scope: 'tenant',
      schema: z.int().min(1).max(43_200),
      default: 1_440,
      unit: 'minutes',
      description: 'How long a request waits for a decision before it expires.',
    }),
  },
});
