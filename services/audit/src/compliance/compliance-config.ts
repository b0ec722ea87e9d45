import { z } from 'zod';

/** Packages for auditors. */
export const complianceConfigSchema = z
  .strictObject({
    /** If the package would be larger, the report fails and names this limit. */
    maxPackageMiB: z.number().int().min(1).max(2_048).default(512),
    /** How long a finished package can be downloaded. */
    retentionDays: z.number().int().min(1).max(3_650).default(365),
    /** The leader sweeps overdue reports only while it makes fewer packages than this number. */
    concurrency: z.number().int().min(1).max(8).default(1),
  })
  .prefault({});

export type ComplianceConfig = z.infer<typeof complianceConfigSchema>;
