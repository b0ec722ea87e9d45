import { z } from 'zod';

/** Of packages for auditors. */
export const complianceConfigSchema = z
  .strictObject({
    /** A package that would be larger fails, and says so. */
    maxPackageMiB: z.number().int().min(1).max(2_048).default(512),
    /** How long a finished package can be fetched. */
    retentionDays: z.number().int().min(1).max(3_650).default(365),
    /** The leading replica takes up what was left behind while it makes fewer packages than this. */
    concurrency: z.number().int().min(1).max(8).default(1),
  })
  .prefault({});

export type ComplianceConfig = z.infer<typeof complianceConfigSchema>;
